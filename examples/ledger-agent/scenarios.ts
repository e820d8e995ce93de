import type { Example, Scenario } from "../scenarios/scenario.ts";
import { type BookWays, createBookkeeper } from "./bookkeeper.ts";
import { startPortal } from "./portal.ts";
import { readsBothShapes, readsFirstPage, readsNumbersOnly } from "./ways.ts";

const scenario = (name: string, ways: BookWays, told: Pick<Scenario, "about" | "expected">): Scenario => ({
  name,
  ...told,
  play: async (place) => {
    const portal = await startPortal();
    try {
      const keep = createBookkeeper(ways);
      return await keep({ portal: portal.url, invoices: 3, controlTotalCents: 159_300 }, place);
    } finally {
      await portal.close();
    }
  },
});

export const ledgerExample: Example = {
  agent: "ledger-agent",
  scenarios: [
    scenario("good", readsBothShapes, { about: "amounts come as numbers and as texts, on two pages", expected: [] }),
    scenario("amount_misread", readsNumbersOnly, {
      about: "an amount that comes as a text is read as another one",
      expected: ["schema_mismatch"],
    }),
    scenario("page_dropped", readsFirstPage, {
      about: "the answer has a second page, which nobody reads",
      expected: ["schema_mismatch"],
    }),
  ],
};
