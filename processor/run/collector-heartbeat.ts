import type { CollectorBeatRow, MonitorGapRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";
import { mergedGaps } from "./monitor-gaps.ts";
import type { RunWatchStore } from "./run-store.ts";
import { type Scheduler, systemScheduler } from "./scheduler.ts";

export interface CollectorHeartbeatOptions {
  /** The same over restarts on the same spool, and nobody else's. */
  readonly collectorId: string;
  readonly store: Pick<RunWatchStore, "insertBeat" | "beatsSince" | "insertMonitorGaps" | "gapsSince">;
  /** Milliseconds. Default 2,000. */
  readonly intervalMillis?: number;
  /** A collector silent for so long no longer holds up the others' watchdogs, milliseconds. Default 60,000. */
  readonly silentMillis?: number;
  /** Time after a gap in which nobody is declared dead, milliseconds. Default 12,000, and never less than six beats. */
  readonly afterGapMillis?: number;
  /** Receive time of the oldest record that is acknowledged and not stored, else now. */
  readonly storedThrough: () => number;
  /** Everything stored before this time is judged. */
  readonly judgedThrough: () => number;
  /** Whether facts can come in now: a time in which none can is a gap. Default: they can. */
  readonly receiving?: () => boolean;
  readonly scheduler?: Scheduler;
  readonly onError: (what: string, error: unknown) => void;
}

/** What may be concluded from silence now. */
export interface Clearance {
  /** Times in which no collector was there, in order and apart. */
  readonly gaps: readonly MonitorGapRow[];
  /** Every fact that any live collector acknowledged before this time is stored. */
  readonly storedThrough: number;
}

export interface CollectorHeartbeat extends Component {
  /** `undefined` while nothing may be concluded: this collector, or all of them, have been away or cannot reach the store. */
  clearance(): Promise<Clearance | undefined>;
}

/** Missed beats before silence is called a gap. */
const MISSED_BEATS = 3;
const MILLIS_PER_DAY = 86_400_000;
/** The longest timeout of a run is 30 days. */
const GAPS_KEPT_MILLIS = 32 * MILLIS_PER_DAY;

/**
 * Tells the other collectors on the store that this one lives and how far it has stored, and knows when nobody did: the
 * monitor's absence is not taken for the agents'.
 *
 * A time is a gap when no collector could receive and store: none had a beat stored. Whoever beats first after it has
 * itself been silent, so it notes the gap before its beat. The clocks of collectors must agree within a few beats.
 */
export function createCollectorHeartbeat(options: CollectorHeartbeatOptions): CollectorHeartbeat {
  const { collectorId, store, scheduler = systemScheduler, silentMillis = 60_000, onError } = options;
  const intervalMillis = options.intervalMillis ?? 2_000;
  const boundMillis = MISSED_BEATS * intervalMillis;
  const afterGapMillis = Math.max(options.afterGapMillis ?? 12_000, 2 * boundMillis);
  let lastBeat: number | undefined;
  let cancel = (): void => {};
  let beating: Promise<void> | undefined;
  let running = false;

  const isFresh = (at: number): boolean => lastBeat !== undefined && at - lastBeat <= boundMillis && at >= lastBeat;

  async function beat(state: CollectorBeatRow["state"]): Promise<void> {
    if (options.receiving?.() === false) return;
    const at = scheduler.now();
    const storedThrough = Math.min(at, options.storedThrough());
    const judgedThrough = Math.min(storedThrough, options.judgedThrough());
    if (!isFresh(at)) await noteGap(at);
    await store.insertBeat({
      collector_id: collectorId,
      heard_at: at,
      stored_through: storedThrough,
      judged_through: judgedThrough,
      state: storedThrough < at ? "up" : state,
    });
    lastBeat = at;
  }

  async function noteGap(at: number): Promise<void> {
    const beats = await store.beatsSince(at - GAPS_KEPT_MILLIS);
    const last = Math.max(...beats.map(({ heard_at }) => heard_at).filter((heardAt) => heardAt <= at));
    if (!Number.isFinite(last) || at - last <= boundMillis) return;
    const reason = lastBeat === undefined ? "the service was not running" : "the service stood still or had no store";
    await store.insertMonitorGaps([{ started_at: last, ended_at: at, reason }], `gap-${last}-${at}`);
  }

  const guarded = (state: CollectorBeatRow["state"]): Promise<void> =>
    beat(state).catch((error: unknown) => onError("writing the collector's heartbeat", error));

  function schedule(): void {
    cancel = scheduler.after(intervalMillis, () => {
      beating = guarded("up").then(() => {
        if (running) schedule();
      });
    });
  }

  return {
    async start() {
      running = true;
      await beat("up");
      schedule();
    },
    async shutdown() {
      if (!running) return;
      running = false;
      cancel();
      await beating;
      await guarded("left");
    },
    async clearance() {
      const at = scheduler.now();
      const own = options.storedThrough();
      if (!isFresh(at)) return undefined;
      const gaps = mergedGaps(await store.gapsSince(at - GAPS_KEPT_MILLIS));
      const last = gaps.at(-1);
      if (last !== undefined && last.ended_at + afterGapMillis > at) return undefined;
      // Others were silent through the gap as well: it does not count against them.
      const heardSince = at - silentMillis;
      const from = last !== undefined && last.ended_at > heardSince ? last.started_at - silentMillis : heardSince;
      const beats = await store.beatsSince(from);
      const others = beats.filter((one) => one.collector_id !== collectorId && one.state === "up");
      return { gaps, storedThrough: Math.min(own, at, ...others.map((one) => one.stored_through)) };
    },
  };
}
