import type { EngineStats } from "../clickhouse/embedded/embedded-engine.ts";
import type { MetricFigure } from "../monitor/index.ts";
import type { SpoolStats } from "../spool/index.ts";

/** Figures of runs that are not settled. Absent ones are not reported. */
export interface RunFigures {
  readonly open?: number;
  readonly waiting?: number;
}

/** Records of one signal that were to be passed on to another backend. */
interface ForwardedRecords {
  readonly sent: { readonly records: number };
  /** Of the sent ones, those that the other side did not take. */
  readonly rejected: number;
  /** Given up, by reason. */
  readonly lost: Readonly<Record<string, { readonly records: number }>>;
}

/** What forwarding knows of itself; more may be there. */
export interface ForwardFigures {
  readonly traces: ForwardedRecords;
  readonly logs: ForwardedRecords;
  readonly backlog: Readonly<Record<"bodies" | "events", { readonly bytes: number }>>;
}

export interface WatchdogFigures {
  /** Milliseconds since the epoch; `null` before the first scan. */
  readonly lastScanAt: number | null;
  readonly scanMillis: number;
}

/**
 * What components know of themselves as plain numbers. Read when somebody asks for the metrics, never on the hot path;
 * what is absent is not reported. None may throw.
 */
export interface TelemetrySources {
  readonly spool?: () => SpoolStats;
  readonly spoolMaxBytes?: number;
  readonly runs?: () => RunFigures;
  readonly watchdog?: () => WatchdogFigures;
  readonly engine?: () => EngineStats;
  readonly storeUp?: () => boolean;
  readonly forward?: () => ForwardFigures;
  /** Figures of the monitor and the gate, each with its metric: see `MONITOR_METRICS`. */
  readonly monitor?: () => readonly MetricFigure[];
}
