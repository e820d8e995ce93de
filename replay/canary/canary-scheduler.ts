import type { Component } from "../../processor/component.ts";
import { type Scheduler, systemScheduler } from "../../processor/run/scheduler.ts";
import { countsText, type RoundReport } from "./round.ts";
import { recordOfRound } from "./record-of-round.ts";
import { afterStep, nextStep, type Progress } from "./schedule.ts";
import { type Grid, phaseOf } from "./slot.ts";
import type { TierRecord, TierRecords } from "./tier-record.ts";
import type { Tier } from "./tier.ts";

export interface CanarySchedulerOptions {
  readonly tiers: readonly Tier[];
  /** Decides where on the interval this host stands. */
  readonly hostId: string;
  /** Share of the interval over which hosts are spread, 0 to 1. */
  readonly jitter: number;
  readonly records: TierRecords;
  /** Does one round. The signal ends it early; it then is not complete. */
  readonly round: (due: ScheduledRound, signal: AbortSignal) => Promise<RoundReport>;
  readonly log: (message: string) => void;
  /** Default: the system's clock and timers. */
  readonly scheduler?: Pick<Scheduler, "now" | "after">;
}

export interface ScheduledRound {
  readonly tier: Tier;
  readonly slot: number;
  /** Slots since the last round that went by without one. */
  readonly missedSlots: number;
}

/** A tier under way: what the schedule knows of it, and what is kept of it. */
interface TierClock {
  readonly tier: Tier;
  readonly grid: Grid;
  progress: Progress;
  /** Slots skipped since the last round began. */
  skipped: number;
  missedTotal: number;
  skippedTotal: number;
  round: Promise<void> | undefined;
}

/** The clock is looked at at least this often: it may be set, and timers stand still while a machine sleeps. */
const LONGEST_WAIT_MILLIS = 10_000;

/**
 * Rounds of all tiers on their schedule, from `start()` on. `shutdown()` ends rounds under way and resolves when nothing of
 * them is left; they are due again at the next start.
 */
export function createCanaryScheduler(options: CanarySchedulerOptions): Component {
  const { scheduler = systemScheduler, log } = options;
  const ending = new AbortController();
  let clocks: readonly TierClock[] = [];
  let cancel = (): void => {};

  /** Takes every step of a tier that is due; gives the time of the next one. */
  function advance(clock: TierClock): number {
    for (;;) {
      const step = nextStep(clock.grid, clock.progress, scheduler.now());
      clock.progress = afterStep(clock.progress, step);
      if (step.type === "wait") return step.until;
      if (step.type === "skip") {
        clock.skipped += step.skipped;
        clock.skippedTotal += step.skipped;
        log(`canaries: ${clock.tier.name}: a round is still running, so the slot ${isoOf(step.slot)} is skipped`);
      } else {
        if (step.missed > 0) log(`canaries: ${clock.tier.name}: one round makes up for ${step.missed} missed slots`);
        const missedSlots = step.missed + clock.skipped;
        clock.skipped = 0;
        clock.missedTotal += step.missed;
        clock.round = round(clock, { tier: clock.tier, slot: step.slot, missedSlots });
      }
    }
  }

  async function round(clock: TierClock, due: ScheduledRound): Promise<void> {
    try {
      const report = await options.round(due, ending.signal);
      advance(clock);
      if (report.complete) await options.records.write(recordOf(clock, due, report));
      tell(due, report);
    } catch (error) {
      log(`canaries: the round ${due.tier.name} of ${isoOf(due.slot)} broke: ${String(error)}`);
    } finally {
      clock.progress = { ...clock.progress, runningSlot: null };
      clock.round = undefined;
      tick();
    }
  }

  function tell({ tier, slot }: ScheduledRound, { complete, counts, unsent, problem }: RoundReport): void {
    log(`canaries: ${tier.name} ${isoOf(slot)}: ${complete ? "" : "interrupted: "}${countsText(counts)}`);
    if (problem !== null) log(`canaries: ${unsent} results wait to be sent: ${problem}`);
  }

  function tick(): void {
    cancel();
    if (ending.signal.aborted) return;
    const now = scheduler.now();
    const next = Math.min(...clocks.map(advance));
    cancel = scheduler.after(Math.min(LONGEST_WAIT_MILLIS, Math.max(1, next - now)), tick);
  }

  return {
    async start() {
      const { tiers, hostId, jitter, records } = options;
      clocks = await Promise.all(
        tiers.map(async (tier): Promise<TierClock> => {
          const everyMillis = tier.everySeconds * 1_000;
          const grid = { everyMillis, phaseMillis: phaseOf(hostId, tier.name, { everyMillis, jitter }) };
          const record = await records.read(tier.name);
          const progress = { lastSlot: record?.last_slot ?? null, runningSlot: null };
          const { missed_slots_total: missedTotal = 0, skipped_slots_total: skippedTotal = 0 } = record ?? {};
          return { tier, grid, progress, skipped: 0, missedTotal, skippedTotal, round: undefined };
        }),
      );
      tick();
    },
    async shutdown() {
      ending.abort();
      cancel();
      await Promise.all(clocks.flatMap(({ round: under }) => under ?? []));
    },
  };
}

const recordOf = (clock: TierClock, due: ScheduledRound, report: RoundReport): TierRecord =>
  recordOfRound({ ...due, shard: { index: 1, count: 1 } }, report, {
    lastSlot: clock.progress.lastSlot ?? due.slot,
    phaseMillis: clock.grid.phaseMillis,
    missedTotal: clock.missedTotal,
    skippedTotal: clock.skippedTotal,
  });

const isoOf = (millis: number): string => new Date(millis).toISOString();
