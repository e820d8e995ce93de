import type { Example, Scenario } from "../scenarios/scenario.ts";
import { type CarrierOptions, startCarrier } from "./carrier.ts";
import { createDispatcher, type DispatchWays, type Parcel } from "./dispatcher.ts";
import { stopsInMaintenance, takesOutageForBadParcel, takesOutageForSuccess } from "./ways.ts";

const PARCELS: readonly Parcel[] = [
  { parcel: "p-1", postcode: "20095" },
  { parcel: "p-2", postcode: "80331" },
];

const scenario = (
  name: string,
  ways: DispatchWays,
  {
    about,
    expected,
    isBlocked = false,
    ...options
  }: Pick<Scenario, "about" | "expected" | "isBlocked"> & CarrierOptions,
): Scenario => ({
  name,
  about,
  expected,
  isBlocked,
  play: async (place) => {
    const carrier = await startCarrier(options);
    try {
      return await createDispatcher(ways)({ parcels: PARCELS, carrier: carrier.url }, place);
    } finally {
      await carrier.close();
    }
  },
});

export const dispatchExample: Example = {
  agent: "dispatch-agent",
  scenarios: [
    scenario("good", stopsInMaintenance, { about: "each parcel has its label", expected: [] }),
    scenario("blocked_by_maintenance", stopsInMaintenance, {
      about: "the carrier goes away after the first label, and the agent says so",
      expected: ["blocked_dependency", "missing_artifact_ref", "side_effect_missing"],
      isBlocked: true,
      labelsUntilMaintenance: 1,
    }),
    scenario("outage_as_success", takesOutageForSuccess, {
      about: "a maintenance page is taken for a label",
      expected: ["side_effect_missing"],
      labelsUntilMaintenance: 1,
    }),
    scenario("outage_as_bad_parcel", takesOutageForBadParcel, {
      about: "a maintenance page is taken for a bad address, and the parcel is rejected",
      expected: ["side_effect_unexpected", "side_effect_missing"],
      labelsUntilMaintenance: 1,
    }),
  ],
};
