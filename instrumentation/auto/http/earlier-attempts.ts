import type { Attempt } from "../../contract/evidence.ts";
import type { StepScope } from "../../run/run-scope.ts";

/** The tries at one request, as far as they went before this one. */
export interface AttemptLog {
  readonly earlier: readonly Attempt[];
  /** Milliseconds between the end of the try before and the start of this one; 0 for the first. */
  readonly waitMillis: number;
  add(attempt: Attempt, endedMillis: number): void;
}

interface Tried {
  readonly attempts: readonly Attempt[];
  readonly endedMillis: number;
}

/** By the place in a run, then by method and URL. A place that is gone takes its log with it. */
const logs = new WeakMap<StepScope["ordinals"], Map<string, Tried>>();
const MAX_ATTEMPTS = 50;

/**
 * Client libraries try again without a word. A request to the same URL from the same place after one that failed is
 * taken for such a try.
 */
export function attemptsBefore(scope: StepScope, request: string, startedMillis: number): AttemptLog {
  const log = logs.get(scope.ordinals) ?? new Map<string, Tried>();
  logs.set(scope.ordinals, log);
  const before = log.get(request);
  log.delete(request);
  const earlier = before?.attempts ?? [];
  return {
    earlier,
    waitMillis: before === undefined ? 0 : Math.round(startedMillis - before.endedMillis),
    add(attempt, endedMillis) {
      if (attempt.status === "ok") return;
      log.set(request, { attempts: [...earlier, attempt].slice(-MAX_ATTEMPTS), endedMillis });
    },
  };
}
