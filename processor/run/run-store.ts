import type { RunReader } from "../clickhouse/run-reader.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import type { CollectorBeatRow, ContractRow, MonitorGapRow, RunRow } from "../clickhouse/run-rows.ts";

/** A run that the store holds spans of, of whatever project. A trace without a run of ours is one: see `traceRunId`. */
export interface StoredRun {
  readonly runId: string;
  readonly traceId: string;
}

/** How much the store holds of a run, over all projects. */
export interface RunCensus extends StoredRun {
  /** Distinct span ids, and events of a trace: the number of facts where only one project speaks. */
  readonly spans: number;
  /** Whether a span is an end: the root, a close record, last words of the process. */
  readonly ended: boolean;
}

export interface SpanReading {
  /** Bytes of the answer. */
  readonly maxBytes: number;
  /** Only so many spans, and long values of calls left out. Default: all. */
  readonly bounded?: { readonly maxSpans: number };
}

/** Spans that became readable within a time by the store's clock, both ends included; milliseconds since the epoch. */
export interface StoredWindow {
  readonly from: number;
  readonly to: number;
  /** Spans that began before are left out. */
  readonly notBefore: number;
}

export interface ProcessKey {
  readonly project: string;
  /** `service.instance.id`. */
  readonly instanceId: string;
}

export interface HeardProcess extends ProcessKey {
  /** Start of the last span it sent, milliseconds since the epoch. */
  readonly lastUnixMillis: number;
}

export interface OverduePage {
  readonly now: number;
  /** Rows due before are known to be closed. */
  readonly from: number;
  /** The last row of the page before. */
  readonly after?: RunRow;
}

/** What assembling runs needs of the store. Reads see every insert that has resolved, whoever made it. */
export interface RunJudgingStore {
  census(runs: readonly StoredRun[]): Promise<readonly RunCensus[]>;
  /**
   * What judging needs of the spans of these runs: the recorded model requests and responses and other tools' attributes
   * are left out. A span that was sent twice may come twice. `too_large` when the answer would pass its bound.
   */
  spansOfRuns(runs: readonly StoredRun[], reading: SpanReading): Promise<readonly SpanRow[] | "too_large">;
  /**
   * Log records in which instrumentations told of model calls in these traces, of every project. `too_large` when the
   * answer would pass its bound.
   */
  logsOfTraces(traceIds: readonly string[], reading: SpanReading): Promise<readonly LogRow[] | "too_large">;
  /** Current rows of these ids, of every project. */
  currentRunsOf(runIds: readonly string[]): Promise<readonly RunRow[]>;
  /** Contracts of these hashes, of every project; not checked. */
  contractsOf(
    hashes: readonly string[],
  ): Promise<readonly Pick<ContractRow, "contract_sha256" | "project" | "contract">[]>;
  /** When these processes last sent anything that began after the time; those that did not are left out. */
  heardLast(processes: readonly ProcessKey[], afterUnixMillis: number): Promise<readonly HeardProcess[]>;
  /** The same token stores once, however often it is tried. */
  insertRuns(rows: readonly RunRow[], token: string): Promise<void>;
  insertContracts(rows: readonly ContractRow[]): Promise<void>;
  /** The same token stores once, however often it is tried. */
  insertLogs(rows: readonly LogRow[], token: string): Promise<void>;
}

/** What watching over runs needs of the store. */
export interface RunWatchStore {
  /** Runs still `started` whose deadline lies before `now`, longest overdue first, by pages; the last page is empty. */
  overdueRuns(page: OverduePage): Promise<readonly RunRow[]>;
  /** Runs with spans of that time, by pages in a fixed order; the last page is empty. */
  runsStoredWithin(window: StoredWindow, after?: StoredRun): Promise<readonly StoredRun[]>;
  /**
   * Runs with a start, an end or a close among the spans since then that were never recorded, or that ended though their
   * row says `started`, abandoned or short of evidence.
   */
  unsettledRuns(sinceUnixMillis: number): Promise<readonly StoredRun[]>;
  insertBeat(beat: CollectorBeatRow): Promise<void>;
  /** The newest beat of each collector that was heard since then. */
  beatsSince(unixMillis: number): Promise<readonly CollectorBeatRow[]>;
  insertMonitorGaps(rows: readonly MonitorGapRow[], token?: string): Promise<void>;
  /** Gaps that ended after that time. */
  gapsSince(unixMillis: number): Promise<readonly MonitorGapRow[]>;
}

export interface RunStore extends RunReader, RunJudgingStore, RunWatchStore {}
