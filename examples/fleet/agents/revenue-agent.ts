import {
  type BillingTask,
  type BillingWays,
  createBillingAgent,
  GOOD_WAYS,
} from "../../revenue-agent/billing-agent.ts";
import { handlesAllDeliveries } from "../../revenue-agent/ways.ts";
import { seeded } from "./seeded.ts";

export default seeded<BillingWays, BillingTask>(
  {
    double_charge: handlesAllDeliveries,
    // The endpoint confirms no refund, and nobody looks.
    refund_unconfirmed: GOOD_WAYS,
    extra_credit: {
      ...GOOD_WAYS,
      afterwards: async ({ id, kind, invoice }, { credit }) => {
        if (kind === "returned") await credit({ invoice, cents: 500, idempotencyKey: `${id}/credit` });
      },
    },
  },
  createBillingAgent,
);
