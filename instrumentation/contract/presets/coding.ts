import { z } from "zod";
import type { RunContract } from "../contract.ts";
import { command, common, commonClauses, contractFrom, text, texts } from "./preset-options.ts";

const schema = z.strictObject({
  ...common,
  /** Globs; of each of them some file must have changed. */
  changes: texts.min(1),
  /** Globs of files that must not change. */
  forbidden: texts.default([]),
  /** Globs of all files that may change, besides those of `changes`. Default: any that are not forbidden. */
  allowed: texts.optional(),
  /** Folder of the git work tree, relative to the run's folder. Default the folder itself. */
  workspace: text.default("."),
  /** Program and arguments that must succeed on the result, run in the work tree when the run closes; no shell sees it. */
  verification: command,
});

export type CodingContractOptions = z.input<typeof schema>;

/**
 * What a coding run promises: the intended files changed, forbidden paths did not, and the verification command, run
 * anew when the run closes, passes. Throws `ContractError` for options that do not parse.
 */
export const codingContract = (options: CodingContractOptions): RunContract =>
  contractFrom(schema, options, ({ changes, forbidden, allowed, workspace, verification, ...rest }) => ({
    ...commonClauses(rest, "coding"),
    changes: { workspace, expected: changes, forbidden, ...(allowed === undefined ? {} : { allowed }) },
    verification: { ...verification, cwd: verification.cwd === "." ? workspace : verification.cwd },
  }));
