import { wrapTool } from "../../instrumentation/index.ts";
import { askEndpoint } from "../scenarios/ask-endpoint.ts";
import type { LabelAnswer } from "./carrier.ts";

/** The tools for one carrier. An answer that says "maintenance" is an outage, whatever its HTTP status. */
export const carrierTools = (url: string) => ({
  createLabel: wrapTool<{ readonly parcel: string; readonly postcode: string }, Promise<LabelAnswer>>(
    {
      name: "create_label",
      sideEffect: "account",
      errorOf: ({ status }) => (status === "maintenance" ? "dependency_unavailable" : null),
      referenceOf: (answer) => (answer.status === "created" ? answer.tracking : null),
    },
    (parcel) => askEndpoint(`${url}/labels`, parcel),
  ),
  rejectParcel: wrapTool<{ readonly parcel: string; readonly reason: string }, Promise<{ readonly reference: string }>>(
    { name: "reject_parcel", sideEffect: "account", referenceOf: ({ reference }) => reference },
    (rejection) => askEndpoint(`${url}/rejections`, rejection),
  ),
});

export type CarrierTools = ReturnType<typeof carrierTools>;
