import type { DispatchWays } from "./dispatcher.ts";

export const stopsInMaintenance: DispatchWays = { withoutLabel: async () => undefined };

/** The planted silent failure: the request did not throw, so the label must be on its way. */
export const takesOutageForSuccess: DispatchWays = { withoutLabel: async () => "pending" };

/** Another one: no label, so the parcel must be at fault, and its sender is told so. */
export const takesOutageForBadParcel: DispatchWays = {
  withoutLabel: async ({ parcel }, tools) => {
    await tools.rejectParcel({ parcel, reason: "address not deliverable" });
    return "rejected";
  },
};
