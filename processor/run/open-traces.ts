import { createRecentMap } from "./recent-map.ts";

/** What is remembered of traces that other instrumentations make. Forgetting any of it only costs looks. */
export interface OpenTraces {
  /** The trace names a run of ours: it is none of its own. */
  ownRunSeen(traceId: string): void;
  hasOwnRun(traceId: string): boolean;
  /** Something of the trace has come: the next pause is the shortest again. */
  touched(traceId: string): void;
  /** How long to wait before looking whether the trace has ended, milliseconds; longer each time. */
  nextPause(traceId: string): number;
}

const FIRST_PAUSE_MILLIS = 2_000;
const LAST_PAUSE_MILLIS = 60_000;

export function createOpenTraces(max: number): OpenTraces {
  const own = createRecentMap<true>(max);
  const pauses = createRecentMap<number>(max);
  return {
    ownRunSeen: (traceId) => own.set(traceId, true),
    hasOwnRun: (traceId) => own.has(traceId),
    touched: (traceId) => pauses.delete(traceId),
    nextPause(traceId) {
      const before = pauses.get(traceId);
      const next = before === undefined ? FIRST_PAUSE_MILLIS : Math.min(before * 2, LAST_PAUSE_MILLIS);
      pauses.set(traceId, next);
      return next;
    },
  };
}
