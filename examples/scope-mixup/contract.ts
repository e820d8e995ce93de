import { defineContract, type RunContract } from "../../instrumentation/index.ts";

/** A change of a price, in the project the caller asked for. */
export interface PriceChange {
  readonly ticket: string;
  /** The caller's runtime override. */
  readonly project: string;
}

/**
 * What the run promises: the price of the asked project is raised from that project's own price, the other project is left
 * alone, and the confirmation says which project it read.
 */
export const priceContract = ({ project }: PriceChange): RunContract =>
  defineContract({
    agent: "price-editor",
    artifacts: [
      {
        name: "confirmation",
        kind: "json",
        path: "confirmation.json",
        schema: {
          type: "object",
          required: ["project", "item", "before", "after"],
          properties: { project: { const: project }, before: { const: 500 }, after: { const: 550 } },
        },
      },
    ],
    state: {
      from: { staging: { mug: 500 }, production: { mug: 900 } },
      to: [{ staging: { mug: 550 }, production: { mug: 900 } }],
    },
    tools: { allowed: ["load_change"] },
    limits: { timeoutSeconds: 30 },
  });
