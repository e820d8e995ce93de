import { z } from "zod";
import type { RunContract } from "../contract.ts";
import type { JsonValue } from "../../json/json.ts";
import { common, commonClauses, contractFrom, count, pointer, text } from "./preset-options.ts";

const schema = z.strictObject({
  ...common,
  /** What has to happen to money or accounts; everything else with a side effect is forbidden. */
  effects: z
    .array(
      z.strictObject({
        tool: text,
        /** What the call must be given. Default: anything. */
        arguments: (z.json() as z.ZodType<JsonValue>).optional(),
        /** `subset` lets a call carry more than that. Default `exact`. */
        match: z.enum(["exact", "subset"]).optional(),
        /** How many different effects. Default 1. */
        times: count.default(1),
      }),
    )
    .max(1_000),
  /** JSON pointer to the idempotency key in the arguments, which nobody can foresee. Default `/idempotencyKey`. */
  idempotencyKey: pointer.default("/idempotencyKey"),
  /** `probe`: a recorded artifact with that reference must also have been found. Default `reference`. */
  confirmedBy: z.enum(["reference", "probe"]).default("reference"),
});

export type RevenueContractOptions = z.input<typeof schema>;

/**
 * What a run that moves money promises: each expected side effect happened exactly once, the other side confirmed it by
 * a reference, and none happened beyond them. A request repeated with the same idempotency key that gave the same
 * reference is one effect. Throws `ContractError` for options that do not parse.
 */
export const revenueContract = (options: RevenueContractOptions): RunContract =>
  contractFrom(schema, options, ({ effects, idempotencyKey, confirmedBy, ...rest }) => ({
    ...commonClauses(rest, "revenue"),
    sideEffects: {
      expected: effects.map(({ times, ...effect }) => ({
        ...effect,
        ignore: [idempotencyKey],
        times: { exactly: times },
        confirmedBy,
        countBy: "reference",
      })),
      others: "forbid",
    },
  }));
