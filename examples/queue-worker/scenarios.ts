import type { Example, Scenario, Stage } from "../scenarios/scenario.ts";
import { createQueue, type Order } from "./order-queue.ts";
import { createOrderWorker, GOOD_WAYS, type WorkWays } from "./order-worker.ts";
import { receiptScript } from "./script.ts";

/** The shop cannot tell the second one. */
const ORDERS: readonly Order[] = [
  { item: "item-1", number: "A-77", cents: 4_100 },
  { item: "item-2", number: "A-78", cents: null },
  { item: "item-3", number: "A-79", cents: 4_300 },
];

interface Setting {
  readonly about: string;
  readonly expected?: Scenario["expected"];
  readonly orders?: readonly Order[];
}

const scenario = (
  name: string,
  ways: Partial<WorkWays>,
  { about, expected = [], orders = ORDERS }: Setting,
): Scenario => ({
  name,
  about,
  expected,
  play: ({ model, ...place }: Stage) => {
    createQueue(place.folder, orders);
    return createOrderWorker({ ...GOOD_WAYS, ...ways })({ worker: "w-1", model }, place);
  },
});

export const queueExample: Example = {
  agent: "queue-worker",
  script: receiptScript,
  scenarios: [
    scenario("good", {}, { about: "two receipts, and one item given back with a reason after three tries" }),
    scenario("good_empty_queue", {}, { about: "nothing was waiting", orders: [] }),
    scenario(
      "item_dropped",
      { giveUp: async () => {} },
      { about: "an item that could not be loaded is skipped, and stays claimed", expected: ["claim_unresolved"] },
    ),
    scenario(
      "wrong_item",
      // Named by the order's number, while everybody looks for the item.
      { receiptOf: ({ number }) => number },
      { about: "the receipts are of items nobody claimed", expected: ["unclaimed_item", "claim_unresolved"] },
    ),
    scenario(
      "released_without_reason",
      // An error has a message and no `reason`; `undefined` vanishes on its way.
      { giveUp: (item, error, tools) => tools.release({ item, reason: (error as { reason?: string }).reason }) },
      { about: "an item is given back and nobody will know why", expected: ["release_unexplained"] },
    ),
  ],
};
