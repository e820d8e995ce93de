import { readFile, rename, writeFile } from "node:fs/promises";
import type { MonitorGapRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";

export interface MonitorHeartbeatOptions {
  /** File that is touched while the monitor runs. */
  readonly file: string;
  /** Milliseconds. */
  readonly intervalMillis: number;
  readonly now: () => number;
  /** Told of each time without a beat that is worth a word. `start()` waits for it and passes on its failure. */
  readonly onGap: (gap: MonitorGapRow) => void | Promise<void>;
  readonly onError: (what: string, error: unknown) => void;
}

export interface MonitorHeartbeat extends Component {
  /** Notes a gap at once if there is one: after a machine slept, its timers fire in no order. */
  check(): void;
}

/** Missed beats before silence is called a gap. */
const MISSED_BEATS = 3;
/** Milliseconds since the epoch as this file writes them; anything else is no time at all. */
const BEAT = /^\d{12,16}$/;

/** Knows when the monitor was not there, so that its absence is not taken for the agents'. */
export function createMonitorHeartbeat(options: MonitorHeartbeatOptions): MonitorHeartbeat {
  const { file, intervalMillis, now } = options;
  let timer: NodeJS.Timeout | undefined;
  let lastBeat: number | undefined;

  function gapUntil(time: number, reason: string): MonitorGapRow | undefined {
    const last = lastBeat;
    lastBeat = time;
    if (last === undefined || time - last <= MISSED_BEATS * intervalMillis) return undefined;
    return { started_at: last, ended_at: time, reason };
  }

  function check(): void {
    if (timer === undefined) return;
    const gap = gapUntil(now(), "the service stood still");
    if (gap !== undefined) void guarded("noting a gap of the monitor", async () => options.onGap(gap));
  }

  async function guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      options.onError(what, error);
    }
  }

  const beat = (): Promise<void> =>
    guarded("writing the monitor's heartbeat", async () => {
      // Through a rename: a file cut short by a crash would tell a time of its own.
      await writeFile(`${file}.tmp`, String(now()));
      await rename(`${file}.tmp`, file);
    });

  return {
    check,
    async start() {
      const text = (await readFile(file, "utf8").catch(() => "")).trim();
      lastBeat = BEAT.test(text) ? Number(text) : undefined;
      const gap = gapUntil(now(), "the service was not running");
      if (gap !== undefined) await options.onGap(gap);
      await beat();
      timer = setInterval(() => {
        check();
        void beat();
      }, intervalMillis);
    },
    async shutdown() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      await beat();
    },
  };
}
