import type { CollectorBeatRow } from "../clickhouse/run-rows.ts";

/** Beats come every two seconds; one that is older is of somebody who may be gone. */
export const LIVE_BEAT_MILLIS = 10_000;

/**
 * Whether this collector raises the alerts of the store: of those that live, the one with the least id. All of them see the
 * same beats, so they agree within a few; while they do not, the ids of alerts keep them from being two.
 */
export function isLeader(collectorId: string, beats: readonly CollectorBeatRow[], now: number): boolean {
  const live = beats.filter(({ heard_at, state }) => state === "up" && now - heard_at <= LIVE_BEAT_MILLIS);
  const ids = live.map(({ collector_id }) => collector_id).toSorted();
  return ids[0] === collectorId;
}
