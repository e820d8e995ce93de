import { z } from "zod";
import type { RunContract } from "../contract.ts";
import { common, commonClauses, contractFrom, pointer, text, texts } from "./preset-options.ts";

const schema = z.strictObject({
  ...common,
  /** The tool that claims, and the JSON pointer to the claimed items' ids in its result (for several, `/items` with `*` as the index). */
  claim: z.strictObject({ tool: text.default("claim"), ids: pointer.default("/item") }),
  /** Name of the recorded artifact of an item. Default `receipt:{id}`. */
  artifact: text.default("receipt:{id}"),
  /** The tool that gives an item back, with JSON pointers into its arguments. */
  release: z
    .strictObject({ tool: text.default("release"), id: pointer.default("/item"), reason: pointer.default("/reason") })
    .optional(),
  /** Further tools with side effects. Default none but claiming and releasing. */
  writes: texts.default([]),
});

export type QueueWorkerContractOptions = z.input<typeof schema>;

/**
 * What a queue worker promises: each item it claims ends in an artifact, re-read when the run closes, or in an explicit
 * release with a reason; no item it never claimed is touched, and nothing else is changed. Throws `ContractError` for
 * options that do not parse.
 */
export const queueWorkerContract = (options: QueueWorkerContractOptions): RunContract =>
  contractFrom(schema, options, ({ claim, artifact, release, writes, ...rest }) => ({
    ...commonClauses(rest, "queue-worker"),
    claims: [{ tool: claim.tool, ids: claim.ids, artifact, releases: release === undefined ? [] : [release] }],
    sideEffects: {
      expected: [claim.tool, ...(release === undefined ? [] : [release.tool]), ...writes].map((tool) => ({
        tool,
        times: { atLeast: 0 },
      })),
      others: "forbid",
    },
  }));
