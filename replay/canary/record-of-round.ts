import type { DueRound, RoundReport } from "./round.ts";
import type { TierRecord } from "./tier-record.ts";

/** What of the schedule is kept with a round. */
export interface ScheduleSoFar {
  readonly lastSlot: number;
  readonly phaseMillis: number;
  readonly missedTotal: number;
  readonly skippedTotal: number;
}

/** What is kept of a tier after a round that was done to its end. Pure. */
export const recordOfRound = (due: DueRound, report: RoundReport, so: ScheduleSoFar): TierRecord => ({
  format_version: 1,
  tier: due.tier.name,
  last_slot: so.lastSlot,
  every_seconds: due.tier.everySeconds,
  phase_ms: so.phaseMillis,
  round: {
    round_id: report.roundId,
    slot: due.slot,
    shard: `${due.shard.index}/${due.shard.count}`,
    started_at: new Date(report.startedAt).toISOString(),
    ended_at: new Date(report.endedAt).toISOString(),
    missed_slots: due.missedSlots,
    counts: report.counts,
  },
  missed_slots_total: so.missedTotal,
  skipped_slots_total: so.skippedTotal,
});
