import { context, isSpanContextValid, trace } from "@opentelemetry/api";
import { errorClassOf, thrownText } from "../capture/error-class.ts";
import type { RunContract } from "../contract/contract.ts";
import { failOpenAsync } from "../fail-open.ts";
import type { ActiveRun, ClosedRun, Run } from "./active-run.ts";
import { closeRun, type CloseOutcome } from "./close-run.ts";
import { inScope, runScope } from "./run-scope.ts";
import { startRun, type StartRunOptions } from "./start-run.ts";

export interface WithRunOptions extends StartRunOptions {
  /** Told how the run was closed, whoever closed it. What it throws is reported and goes no further. */
  readonly onClosed?: (closed: ClosedRun) => void | Promise<void>;
}

/** Runs `work` so that calls, artifacts and sub-runs made anywhere inside find the run. */
export function runInContext<Result>(run: Run, work: () => Result): Result {
  const active = run as ActiveRun;
  // Also a span that was sampled out: what happens inside must not become traces of its own.
  const within = isSpanContextValid(active.span.spanContext())
    ? trace.setSpan(context.active(), active.span)
    : context.active();
  return inScope(runScope(active), () => context.with(within, work));
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
    await close(run, options, {});
    return result;
  } catch (error) {
    await close(run, options, { error: { errorClass: errorClassOf(error), message: thrownText(error).message } });
    throw error;
  }
}

async function close(run: Run, { onClosed }: WithRunOptions, outcome: CloseOutcome): Promise<void> {
  // Work that closed the run itself gets here too: the first close stands.
  const closed = await closeRun(run, outcome);
  await failOpenAsync("onClosed()", async () => await onClosed?.(closed), undefined);
}
