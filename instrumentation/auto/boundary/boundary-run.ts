import { errorClassOf, thrownText } from "../../capture/error-class.ts";
import { parseContract, type RunContract } from "../../contract/contract.ts";
import { failOpen } from "../../fail-open.ts";
import type { ActiveRun, Run } from "../../run/active-run.ts";
import { closeRun, type CloseOutcome } from "../../run/close-run.ts";
import { openRun, type OpenedRun } from "../../run/open-run.ts";
import { currentScope, isProcessRun } from "../../run/run-scope.ts";
import { runInContext } from "../../run/with-run.ts";
import { agentNameFor, type BoundaryKind, contractOf, opensRuns } from "./boundary-settings.ts";

/** What a boundary knows of the run that begins at it. */
export interface BoundarySpec {
  readonly kind: BoundaryKind;
  /** As the stack calls it. See `agentNameFor()`. */
  readonly agentName?: string | undefined;
  /** What the run is given to work on; without it the run cannot be replayed. */
  readonly input?: unknown;
  readonly model?: string | undefined;
  /** Same for every attempt. Default: the run id. */
  readonly taskId?: string | undefined;
  /** 1 for the first. */
  readonly attempt?: number | undefined;
}

export interface BoundaryEnd {
  /** Whatever was thrown; `undefined` is a good end. */
  readonly error?: unknown;
  /** What the run told its user, unless it said so itself. */
  readonly answer?: string | undefined;
}

/** A run that a boundary opened, and has to close. */
export interface BoundaryRun {
  readonly run: Run;
  /** Calls made anywhere inside belong to the run. */
  inContext<Result>(work: () => Result): Result;
  /** Closes the run; a second call gives the first one's result. Never rejects. Nobody has to wait for it. */
  close(end?: BoundaryEnd): Promise<void>;
}

/**
 * Opens a run where none is open, with the contract that the agent's name has, or else with none, and then the run is
 * recorded and its verdict stays `inconclusive`. `undefined` inside of a run, at a boundary that is not configured
 * (see `configureBoundaries()`), and with instrumentation off.
 *
 * Waits for nothing: the start record is on its way when this returns. Never throws.
 */
export function openBoundaryRun(spec: BoundarySpec): BoundaryRun | undefined {
  return failOpen("opening a run at a boundary", () => boundaryRun(open(spec)), undefined);
}

/**
 * Does `work` in a run of its own if none is open. A string it returns is the run's answer. Gives back and throws what
 * `work` does, once the run is closed.
 */
export async function atBoundary<Result>(
  spec: BoundarySpec,
  work: (run: Run | undefined) => Promise<Result>,
): Promise<Result> {
  const boundary = openBoundaryRun(spec);
  if (boundary === undefined) return await work(undefined);
  try {
    const result = await boundary.inContext(() => work(boundary.run));
    await boundary.close(typeof result === "string" ? { answer: result } : {});
    return result;
  } catch (error) {
    await boundary.close({ error: error ?? new Error("undefined was thrown") });
    throw error;
  }
}

function open({ kind, agentName, input, model, taskId, attempt }: BoundarySpec): OpenedRun | undefined {
  if (!opensRuns(kind)) return undefined;
  const scope = currentScope();
  // The process is no task of its own while it answers requests: those are runs below its run.
  if (scope !== undefined && !isProcessRun(scope.run)) return undefined;
  const name = agentNameFor(agentName);
  const given = { input, model, taskId, attempt };
  return openRun(
    contractOf(name) ?? withoutPromises(name),
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
}

const MAX_NAME = 200;

/** Names come from outside; whatever they are, the run is recorded. */
const withoutPromises = (name: string): RunContract =>
  parseContract({ agent: String(name).slice(0, MAX_NAME) || "agent" });

function boundaryRun(opened: OpenedRun | undefined): BoundaryRun | undefined {
  if (opened === undefined) return undefined;
  const { run, startRecord, startState } = opened;
  // What the close waits for, with its own bound.
  for (const work of [startRecord, startState]) holdUntilSettled(run, work);
  return {
    run,
    inContext: (work) => runInContext(run, work),
    close: async (end = {}) => {
      if (end.answer !== undefined && run.answer === null) run.setAnswer(end.answer);
      await closeRun(run, end.error === undefined ? {} : { error: errorOf(end.error) });
    },
  };
}

const errorOf = (thrown: unknown): NonNullable<CloseOutcome["error"]> => ({
  errorClass: errorClassOf(thrown),
  message: thrownText(thrown).message,
});

function holdUntilSettled(run: ActiveRun, work: Promise<void>): void {
  run.pending.add(work);
  void work.then(() => run.pending.delete(work));
}
