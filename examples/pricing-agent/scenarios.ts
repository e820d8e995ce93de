import type { Example, Scenario } from "../scenarios/scenario.ts";
import { createPricer, type PriceTask, type PriceWays } from "./pricer.ts";
import { startRates } from "./rates.ts";
import { stopsWithoutRate, takesLastRate } from "./ways.ts";

const TASK: Omit<PriceTask, "rates"> = {
  day: "2026-11-21",
  eurCents: 1_990,
  currencies: ["GBP", "USD"],
  lastRates: { GBP: 0.83, USD: 1.08 },
};

const scenario = (
  name: string,
  ways: PriceWays,
  { throttled, ...told }: Pick<Scenario, "about" | "expected" | "isBlocked"> & { readonly throttled: number },
): Scenario => ({
  name,
  ...told,
  play: async (place) => {
    const endpoint = await startRates({ throttled });
    try {
      return await createPricer(ways)({ ...TASK, rates: endpoint.url }, place);
    } finally {
      await endpoint.close();
    }
  },
});

export const pricingExample: Example = {
  agent: "pricing-agent",
  scenarios: [
    scenario("good", stopsWithoutRate, { about: "all rates are there", expected: [], throttled: 0 }),
    scenario("good_after_throttling", stopsWithoutRate, {
      about: "a rate comes with the third try",
      expected: [],
      throttled: 2,
    }),
    scenario("blocked_by_throttling", stopsWithoutRate, {
      about: "a rate never comes, and the agent says so",
      expected: ["blocked_dependency", "missing_artifact_ref", "retries_exhausted"],
      isBlocked: true,
      throttled: 100,
    }),
    scenario("stale_rates", takesLastRate, {
      about: "a rate never comes, and yesterday's is sold as today's",
      expected: ["retries_exhausted"],
      throttled: 100,
    }),
  ],
};
