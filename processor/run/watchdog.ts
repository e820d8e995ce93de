import type { RunRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";
import type { Clearance } from "./collector-heartbeat.ts";
import { pausedMillis } from "./monitor-gaps.ts";
import type { OverduePage } from "./run-store.ts";
import { type Scheduler, systemScheduler } from "./scheduler.ts";

export interface WatchdogOptions {
  /** Overdue runs by pages, longest overdue first; the last page is empty. */
  readonly overdue: (page: OverduePage) => Promise<readonly RunRow[]>;
  readonly abandon: (run: RunRow) => void | Promise<void>;
  /** What may be concluded from silence now; `undefined`: nothing. */
  readonly clearance: () => Promise<Clearance | undefined>;
  /** Pause between scans, milliseconds. */
  readonly scanMillis: number;
  /** Time after the start in which nobody is declared dead: what senders held back must come in first. */
  readonly quietMillis: number;
  /** Default: the system's clock and timers. */
  readonly scheduler?: Scheduler;
  readonly onError: (what: string, error: unknown) => void;
}

export interface Watchdog extends Component {
  /** When the last complete scan ended, milliseconds since the epoch, or `null`: a silent watchdog is not a healthy one. */
  lastScanAt(): number | null;
  scan(): Promise<void>;
}

/** A scan looks back behind the oldest run it last found open by so much, and every so often at all of them. */
const LOOK_BACK_MILLIS = 3_600_000;
const FULL_SCAN_MILLIS = 600_000;

/**
 * Closes runs that were started and passed their deadline. Deadlines count from the collector's receive time and stand
 * still while no collector was there; nobody is given up while an end may lie acknowledged and unstored in a live
 * collector's spool. Our absence is a gap, never somebody's abandonment.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { scheduler = systemScheduler } = options;
  let cancel = (): void => {};
  let scanning: Promise<void> | undefined;
  let stopped = false;
  let scannedAt: number | null = null;
  let openFrom = 0;
  let fullAt = -Infinity;

  async function scanOnce(): Promise<void> {
    const now = scheduler.now();
    const clearance = await options.clearance();
    if (clearance === undefined) return;
    const isFull = now - fullAt >= FULL_SCAN_MILLIS;
    const from = isFull ? 0 : Math.max(0, openFrom - LOOK_BACK_MILLIS);
    let oldest = now;
    for (let page = await options.overdue({ now, from }); page.length > 0;) {
      for (const run of page) {
        oldest = Math.min(oldest, run.deadline_at);
        const dueAt = run.deadline_at + pausedMillis(run, clearance.gaps);
        if (dueAt < Math.min(now, clearance.storedThrough)) await abandon(run);
      }
      const after = page.at(-1);
      page = after === undefined || stopped ? [] : await options.overdue({ now, from, after });
    }
    openFrom = oldest;
    if (isFull) fullAt = now;
    scannedAt = scheduler.now();
  }

  /** The longest overdue come first: one that cannot be closed must not keep the others from it. */
  async function abandon(run: RunRow): Promise<void> {
    try {
      await options.abandon(run);
    } catch (error) {
      options.onError(`closing the abandoned run ${run.run_id}`, error);
    }
  }

  function scan(): Promise<void> {
    scanning ??= scanOnce()
      .catch((error: unknown) => options.onError("the watchdog's scan", error))
      .finally(() => {
        scanning = undefined;
      });
    return scanning;
  }

  function schedule(delay: number): void {
    cancel = scheduler.after(delay, () => {
      void scan().then(() => {
        if (!stopped) schedule(options.scanMillis);
      });
    });
  }

  return {
    start: async () => schedule(options.quietMillis),
    async shutdown() {
      stopped = true;
      cancel();
      await scanning;
    },
    lastScanAt: () => scannedAt,
    scan,
  };
}
