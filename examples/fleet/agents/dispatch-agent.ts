import { createDispatcher } from "../../dispatch-agent/dispatcher.ts";
import { takesOutageForBadParcel, takesOutageForSuccess } from "../../dispatch-agent/ways.ts";
import { seeded } from "./seeded.ts";

export default seeded(
  { outage_as_success: takesOutageForSuccess, outage_as_bad_parcel: takesOutageForBadParcel },
  createDispatcher,
);
