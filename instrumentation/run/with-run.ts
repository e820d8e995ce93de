import { context, trace } from "@opentelemetry/api";
import { errorClassOf } from "../capture/error-class.ts";
import type { RunContract } from "../contract/contract.ts";
import { failOpen } from "../fail-open.ts";
import type { ActiveRun, ClosedRun, Run } from "./active-run.ts";
import { closeRun } from "./close-run.ts";
import { inScope, newScope } from "./run-scope.ts";
import { startRun, type StartRunOptions } from "./start-run.ts";

export interface WithRunOptions extends StartRunOptions {
  /** Told how the run was closed. */
  readonly onClosed?: (closed: ClosedRun) => void;
}

/** Runs `work` so that calls, artifacts and sub-runs made anywhere inside find the run. */
export function runInContext<Result>(run: Run, work: () => Result): Result {
  const active = run as ActiveRun;
  const within = active.recording ? trace.setSpan(context.active(), active.span) : context.active();
  return inScope(newScope(active), () => context.with(within, work));
}

/**
 * Opens a run, does the work, closes the run whatever happened: an aborted attempt becomes a failed run, never an
 * invisible one. Gives back and throws what `work` does. A string that `work` returns is taken as the run's answer
 * unless it set one.
 */
export async function withRun<Result>(
  contract: RunContract,
  work: (run: Run) => Result,
  options: WithRunOptions = {},
): Promise<Awaited<Result>> {
  const run = await startRun(contract, options);
  try {
    const result = await runInContext(run, async () => await work(run));
    if (typeof result === "string" && (run as ActiveRun).answer === null) run.setAnswer(result);
    await close(run, options, undefined);
    return result;
  } catch (error) {
    await close(run, options, error);
    throw error;
  }
}

async function close(run: Run, options: WithRunOptions, error: unknown): Promise<void> {
  if ((run as ActiveRun).closing !== undefined) return;
  const message = error instanceof Error ? error.message : String(error);
  const closed = await closeRun(
    run,
    error === undefined ? {} : { error: { errorClass: errorClassOf(error), message } },
  );
  failOpen("onClosed()", () => options.onClosed?.(closed), undefined);
}
