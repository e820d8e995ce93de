import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { defineContract, type RunContract, withRun } from "../../instrumentation/index.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { MAX_RETRIES, rateTools } from "./rate-tools.ts";

export interface PriceTask {
  readonly day: string;
  readonly eurCents: number;
  readonly currencies: readonly string[];
  /** The rates of the day before. */
  readonly lastRates: Readonly<Record<string, number>>;
  /** URL of the endpoint that has today's. */
  readonly rates: string;
}

/** The place where this agent can go wrong without a word. */
export interface PriceWays {
  /** The rate to go on with when today's cannot be had; `undefined`: there is none, and no list. */
  readonly rateInstead: (currency: string, task: PriceTask) => number | undefined;
}

const LIST = "out/prices.json";

/** A price in each currency, by rates that were really fetched. */
const contractFor = ({ currencies }: PriceTask): RunContract =>
  defineContract({
    agent: "pricing-agent",
    artifacts: [
      {
        name: "prices",
        kind: "json",
        path: LIST,
        schema: {
          type: "object",
          required: [...currencies],
          additionalProperties: { type: "integer", minimum: 1 },
        },
      },
    ],
    tools: { allowed: ["fetch_rate"] },
    limits: { timeoutSeconds: 60, maxSteps: 20, maxRetries: MAX_RETRIES },
  });

/** Prices an article in foreign currencies by the rates of the day. */
export const createPricer =
  (ways: PriceWays) =>
  (input: PriceTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contractFor(input),
      async (run) => {
        const { fetchRate } = rateTools(input.rates);
        const prices: Record<string, number> = {};
        for (const currency of input.currencies) {
          const rate = await fetchRate({ currency, day: input.day })
            .then((fetched) => fetched.rate)
            .catch(() => ways.rateInstead(currency, input));
          if (rate === undefined) {
            run.claim("blocked", `no rate for ${currency}`);
            return `There is no price list for ${input.day}: the rate for ${currency} could not be had.`;
          }
          prices[currency] = Math.round(input.eurCents * rate);
        }
        const path = join(place.folder ?? "", LIST);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, JSON.stringify(prices));
        run.claim("done", `${input.currencies.length} currencies priced`);
        return `The price list is written, by the rates of ${input.day}.`;
      },
      { input, taskId: `prices:${input.day}`, ...runOptions(place) },
    );
