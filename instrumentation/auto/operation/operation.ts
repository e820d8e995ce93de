import { failOpen } from "../../fail-open.ts";
import { openBoundaryRun, type BoundaryEnd, type BoundaryRun } from "../boundary/index.ts";
import { placeHere, type Place } from "./place.ts";

/** What a stack's agent operation is about to do. */
interface OperationSpec {
  /** Of the operation, as it stands in call paths. */
  readonly name: string;
  /** As the user calls the agent; `undefined` where the stack has no name for it but its own. */
  readonly agentName?: string | undefined;
  /** Asked only when the operation opens a run: what it is given to work on, as JSON. */
  readonly input: () => unknown;
  readonly model?: string | undefined;
}

/** One agent operation: a run of its own where none was open, else a step of the run it was found in. */
export interface Operation extends Place {
  /** The operation is over. Closes the run it opened; only the first call counts. Never rejects. */
  end(end?: BoundaryEnd): Promise<void>;
}

/** Begins an operation; `undefined` when it is to be left alone (no run open, and none may be opened). Never throws. */
export const beginOperation = (spec: OperationSpec): Operation | undefined =>
  failOpen("opening an agent's operation", () => begin(spec), undefined);

function begin(spec: OperationSpec): Operation | undefined {
  const { name, agentName, model } = spec;
  const outer = placeHere();
  // Where a run is open the input is not looked at: it may be large.
  const input = outer === undefined ? failOpen("reading an operation's input", spec.input, undefined) : undefined;
  const boundary = openBoundaryRun({ kind: "agent", agentName, input, model });
  if (boundary !== undefined) return ownRun(boundary);
  return outer === undefined ? undefined : { ...outer.step(name), end: async () => {} };
}

function ownRun(boundary: BoundaryRun): Operation | undefined {
  const place = boundary.inContext(placeHere);
  return place === undefined ? undefined : { ...place, end: (end) => boundary.close(end) };
}

/** Does the work of an operation and ends it, whatever happens; gives back and throws what `work` does. */
export async function inOperation<Result>(
  operation: Operation,
  work: () => PromiseLike<Result> | Result,
  answerOf: (result: Result) => string | undefined,
): Promise<Result> {
  try {
    const result = await operation.within(work);
    const answer = failOpen("reading an operation's answer", () => answerOf(result), undefined);
    await operation.end({ answer });
    return result;
  } catch (error) {
    await operation.end({ error: thrown(error) });
    throw error;
  }
}

/** `undefined` in an end means none: that somebody threw just that must not look good. */
export const thrown = (error: unknown): unknown => error ?? new Error(`${String(error)} was thrown`);
