import { readFile, writeFile } from "node:fs/promises";
import type { MonitorGapRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";

export interface MonitorHeartbeatOptions {
  /** File that is touched while the monitor runs. */
  readonly file: string;
  /** Milliseconds. */
  readonly intervalMillis: number;
  readonly now: () => number;
  readonly onError: (what: string, error: unknown) => void;
}

export interface MonitorHeartbeat extends Component {
  /** The time since the last beat of the previous process, if it is worth a word; `null` on a first start. */
  gapBeforeStart(): MonitorGapRow | null;
}

/** Missed beats before silence is called a gap. */
const MISSED_BEATS = 3;

/** Knows when the monitor was not there, so that its absence is not taken for the agents'. */
export function createMonitorHeartbeat(options: MonitorHeartbeatOptions): MonitorHeartbeat {
  let timer: NodeJS.Timeout | undefined;
  let gap: MonitorGapRow | null = null;

  async function beat(): Promise<void> {
    try {
      await writeFile(options.file, String(options.now()));
    } catch (error) {
      options.onError("writing the monitor's heartbeat", error);
    }
  }

  return {
    async start() {
      const last = Number(await readFile(options.file, "utf8").catch(() => "NaN"));
      const now = options.now();
      if (Number.isFinite(last) && now - last > MISSED_BEATS * options.intervalMillis) {
        gap = { started_at: last, ended_at: now, reason: "the service was not running" };
      }
      await beat();
      timer = setInterval(() => void beat(), options.intervalMillis);
    },
    async shutdown() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      await beat();
    },
    gapBeforeStart: () => gap,
  };
}
