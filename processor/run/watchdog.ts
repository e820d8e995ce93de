import type { MonitorGapRow, RunRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";

export interface WatchdogOptions {
  readonly overdue: (nowMillis: number) => Promise<readonly RunRow[]>;
  readonly abandon: (run: RunRow) => void | Promise<void>;
  /** Times in which the monitor itself did not run. */
  readonly gaps: () => readonly MonitorGapRow[];
  /** Pause between scans, milliseconds. */
  readonly scanMillis: number;
  /** Time after the start in which nobody is declared dead: what senders held back must come in first. */
  readonly quietMillis: number;
  readonly now: () => number;
  readonly onError: (what: string, error: unknown) => void;
}

export interface Watchdog extends Component {
  /** When the last complete scan ended, milliseconds since the epoch, or `null`: a silent watchdog is not a healthy one. */
  lastScanAt(): number | null;
  scan(): Promise<void>;
}

/**
 * Closes runs that were started and passed their deadline. Deadlines count from the collector's receive time and stand
 * still while the collector itself was down: our absence is a gap, never somebody's abandonment.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let scanning: Promise<void> | undefined;
  let stopped = false;
  let scannedAt: number | null = null;

  async function scanOnce(): Promise<void> {
    const now = options.now();
    for (const run of await options.overdue(now)) {
      if (run.deadline_at + pausedMillis(run, options.gaps()) < now) await abandon(run);
    }
    scannedAt = options.now();
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
    timer = setTimeout(() => {
      void scan().then(() => {
        if (!stopped) schedule(options.scanMillis);
      });
    }, delay);
  }

  return {
    start: async () => schedule(options.quietMillis),
    async shutdown() {
      stopped = true;
      clearTimeout(timer);
      await scanning;
    },
    lastScanAt: () => scannedAt,
    scan,
  };
}

/** How much of a run's time the monitor was away. */
export const pausedMillis = (run: Pick<RunRow, "received_at">, gaps: readonly MonitorGapRow[]): number =>
  gaps.reduce((sum, gap) => sum + Math.max(0, gap.ended_at - Math.max(gap.started_at, run.received_at)), 0);
