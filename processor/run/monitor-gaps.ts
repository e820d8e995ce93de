import type { MonitorGapRow, RunRow } from "../clickhouse/run-rows.ts";

/** Gaps in order, those that overlap as one: several collectors may note the same. */
export function mergedGaps(gaps: readonly MonitorGapRow[]): MonitorGapRow[] {
  const merged: MonitorGapRow[] = [];
  for (const gap of gaps.toSorted((a, b) => a.started_at - b.started_at)) {
    const last = merged.at(-1);
    if (last === undefined || gap.started_at > last.ended_at) merged.push(gap);
    else merged[merged.length - 1] = { ...last, ended_at: Math.max(last.ended_at, gap.ended_at) };
  }
  return merged;
}

/** How much of a run's time the monitor was away. The gaps must be apart, see `mergedGaps`. */
export const pausedMillis = (run: Pick<RunRow, "received_at">, gaps: readonly MonitorGapRow[]): number =>
  gaps.reduce((sum, gap) => sum + Math.max(0, gap.ended_at - Math.max(gap.started_at, run.received_at)), 0);
