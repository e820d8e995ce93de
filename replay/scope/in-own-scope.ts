import type { CommandContext } from "../commands/context.ts";
import type { LoadedConfig } from "../config.ts";
import { safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import { ownProjectScope } from "./own-project-scope.ts";

export interface ScopedVerb {
  readonly context: CommandContext;
  readonly loaded: LoadedConfig;
  /** `--project`. */
  readonly project: string;
  /** What the authoriser is told: `runs.list`. */
  readonly operation: string;
}

/**
 * Does the work of a verb in the project that was asked for, once that is resolved and authorised. Refused: nothing was
 * done, the reason is on standard error, and this is the exit code.
 */
export async function inOwnScope<Result>(
  { context, loaded, project, operation }: ScopedVerb,
  work: (project: string) => Promise<Result>,
): Promise<{ readonly value: Result } | { readonly exitCode: number }> {
  const scope = ownProjectScope({ context, loaded, project });
  const outcome = await scope.withScope(operation, work);
  if (outcome.kind === "executed") return { value: outcome.value };
  const explanation = safeLine(outcome.explanation);
  context.stderr.write(`error: project ${safeLine(project)} refused (${outcome.code}): ${explanation}\n`);
  return { exitCode: outcome.code === "authorization_failed" ? EXIT.environment : EXIT.finding };
}
