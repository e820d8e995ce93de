import { AsyncLocalStorage } from "node:async_hooks";
import type { ActiveRun } from "./active-run.ts";

/** Where in a run the current code is: the run itself, or inside one of its calls. Call paths are counted here. */
export interface StepScope {
  readonly run: ActiveRun;
  /** Span id of the enclosing call, else of the run's root span: the parent of spans on the flush-now path. */
  readonly spanId: string;
  /** Call path of the enclosing call; `''` directly under the run. */
  readonly path: string;
  readonly ordinals: Map<string, number>;
}

// Own storage, because OpenTelemetry's context carries nothing without an SDK, and the run must be found even then.
const storage = new AsyncLocalStorage<StepScope>();

export const newScope = (run: ActiveRun, path = "", spanId = run.rootSpanId): StepScope => ({
  run,
  path,
  spanId,
  ordinals: new Map(),
});

export const currentScope = (): StepScope | undefined => storage.getStore();

export const inScope = <Result>(scope: StepScope, work: () => Result): Result => storage.run(scope, work);

/**
 * Path of the next call of `name` in this scope: name and ordinal within the parent step, in start order. It does not
 * depend on when calls end, so parallel calls keep their places in a replay.
 */
export function nextCallPath(scope: StepScope, name: string): string {
  // Counted under the written form: `a/b` and `a_b` must not share a place.
  const written = name.replaceAll(/[/#]/g, "_");
  const ordinal = scope.ordinals.get(written) ?? 0;
  scope.ordinals.set(written, ordinal + 1);
  const step = `${written}#${ordinal}`;
  return scope.path === "" ? step : `${scope.path}/${step}`;
}
