import type { Example, Scenario, Stage } from "../scenarios/scenario.ts";
import { type BillingEvent, type BillingWays, createBillingAgent, GOOD_WAYS } from "./billing-agent.ts";
import { type PaymentsOptions, startPayments } from "./payments.ts";
import { billingScript } from "./script.ts";
import { handlesAllDeliveries } from "./ways.ts";

/** The first event was not acknowledged in time and comes again. */
const EVENTS: readonly BillingEvent[] = [
  { id: "evt-1", delivery: 1, kind: "due", invoice: "inv-7", cents: 4_200 },
  { id: "evt-2", delivery: 1, kind: "returned", invoice: "inv-3", cents: 1_500 },
  { id: "evt-1", delivery: 2, kind: "due", invoice: "inv-7", cents: 4_200 },
];

interface Setting extends PaymentsOptions {
  readonly about: string;
  readonly expected?: Scenario["expected"];
}

const scenario = (
  name: string,
  ways: Partial<BillingWays>,
  { about, expected = [], ...payments }: Setting,
): Scenario => ({
  name,
  about,
  expected,
  play: async ({ model, ...place }: Stage) => {
    const endpoint = await startPayments(payments);
    try {
      const bill = createBillingAgent({ ...GOOD_WAYS, ...ways });
      return await bill({ events: EVENTS, payments: endpoint.url, model }, place);
    } finally {
      await endpoint.close();
    }
  },
});

export const revenueExample: Example = {
  agent: "revenue-agent",
  script: billingScript,
  scenarios: [
    scenario("good", {}, { about: "one charge, one refund; a second delivery of an event is left alone" }),
    scenario(
      "good_repeated_request",
      { eventsOf: (delivered) => delivered },
      { about: "the same request with the same key comes twice, and is one charge" },
    ),
    scenario("good_after_outage", {}, { about: "booked, answered 503, asked again with its key", isShaky: true }),
    scenario("double_charge", handlesAllDeliveries, {
      about: "an event that is delivered again is charged again",
      expected: ["side_effect_repeated"],
    }),
    scenario(
      "refund_unconfirmed",
      {},
      {
        about: "the refund was accepted and never confirmed",
        expected: ["side_effect_unconfirmed"],
        hasSlowRefunds: true,
      },
    ),
    scenario(
      "extra_credit",
      // A kindness that somebody once tried out.
      {
        afterwards: async ({ id, kind, invoice }, { credit }) => {
          if (kind === "returned") await credit({ invoice, cents: 500, idempotencyKey: `${id}/credit` });
        },
      },
      { about: "a credit is given that nobody ordered", expected: ["side_effect_unexpected"] },
    ),
    scenario(
      "wrong_amount",
      // The endpoint counts in cents; somebody thought in euros.
      { centsOf: (cents) => cents / 100 },
      { about: "a hundredth is charged and refunded", expected: ["side_effect_unexpected", "side_effect_missing"] },
    ),
  ],
};
