import type { RunRow } from "../clickhouse/run-rows.ts";
import type { TouchedRun } from "../native/index.ts";
import { LAST_EVENTS } from "../run/last-events.ts";

/** Measures how long a run that has ended waits for its stored verdict. */
export interface VerdictLag {
  /** Spans have become readable. */
  seen(touched: readonly TouchedRun[]): void;
  /** Run records have been stored. */
  stored(rows: readonly Pick<RunRow, "run_id" | "status">[]): void;
}

/** Runs whose verdict never comes are forgotten with the others; a lag that is not measured costs nobody anything. */
const MAX_WAITING = 100_000;

/** `record` is told seconds. `now`: monotonic, milliseconds. */
export function createVerdictLag(record: (seconds: number) => void, now: () => number): VerdictLag {
  const endedAt = new Map<string, number>();
  return {
    seen(touched) {
      for (const { runId, event } of touched) {
        if (!LAST_EVENTS.has(event) || endedAt.has(runId)) continue;
        if (endedAt.size >= MAX_WAITING) endedAt.clear();
        endedAt.set(runId, now());
      }
    },
    stored(rows) {
      for (const { run_id, status } of rows) {
        const at = endedAt.get(run_id);
        if (at === undefined || status === "started") continue;
        endedAt.delete(run_id);
        record((now() - at) / 1_000);
      }
    },
  };
}
