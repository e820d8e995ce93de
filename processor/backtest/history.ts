import type { RunType } from "../../instrumentation/contract/run-record.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import type { RunJudgingStore } from "../run/run-store.ts";

/** Whose stored runs a back-test is about. */
export interface HistoryScope {
  readonly agent: string;
  readonly runType: RunType;
  /** Default: every project the reader may see. */
  readonly project?: string;
}

/** Place of a run in the order in which history is read. An empty run id lies before every run of that time and project. */
export interface RunKey {
  /** Nanoseconds since the epoch, decimal text. */
  readonly startedAt: string;
  readonly project: string;
  readonly runId: string;
}

/** From one place, it included, to another one, that excluded. */
export interface KeyRange {
  readonly from: RunKey;
  readonly to: RunKey;
}

/** Nanoseconds since the epoch, both ends included. */
export interface TimeWindow {
  readonly from: bigint;
  readonly to: bigint;
}

/** What a back-test needs of a run's current record. */
export interface HistoryRun extends RunKey {
  readonly traceId: string;
  /** Nanoseconds since the epoch, decimal text; `null` while the run is open. */
  readonly closedAt: string | null;
  readonly timeoutSeconds: number;
  /** `started` or a verdict. */
  readonly status: string;
  readonly contractSha256: string;
  /** How many spans the stored verdict rests on. */
  readonly factCount: number;
}

/** How many record rows there are, and from when to when. */
export interface HistoryExtent {
  /** At least as many as there are runs: versions that are not merged yet count each. */
  readonly rows: number;
  /** Nanoseconds since the epoch, decimal text. */
  readonly first: string;
  readonly last: string;
}

export interface HistoryBucket {
  readonly bucket: number;
  readonly rows: number;
}

/** Stored runs in the order of their keys. Reads see what was stored when they are made. Every method rejects with the store's error. */
export interface History {
  /** `undefined` when there is no run. */
  extent(scope: HistoryScope, sinceUnixMillis: number): Promise<HistoryExtent | undefined>;
  /** Record rows by time: bucket 0 begins at the first run, each is `widthNanos` long. Empty ones are left out. */
  buckets(scope: HistoryScope, extent: HistoryExtent, widthNanos: bigint): Promise<readonly HistoryBucket[]>;
  /** Key of the run with that many record rows before it in the range; `undefined` when there are not so many. */
  keyAfter(scope: HistoryScope, range: KeyRange, rows: number): Promise<RunKey | undefined>;
  /** Current records in the order of their keys, each once and at the place its current record gives it. */
  runs(scope: HistoryScope, range: KeyRange): Promise<readonly HistoryRun[]>;
  /**
   * Spans of the runs of a range that began within the window, in any order and maybe more than once, without the recorded
   * contracts; spans of runs with the same id may be among them. `too_large` when the answer would pass its bound.
   */
  spans(scope: HistoryScope, range: KeyRange, reading: WindowReading): Promise<readonly SpanRow[] | "too_large">;
  /** All spans of some runs by their traces, whenever they began; of traces of other instrumentations, too. */
  readonly spansOfRuns: RunJudgingStore["spansOfRuns"];
  readonly logsOfTraces: RunJudgingStore["logsOfTraces"];
  readonly contractsOf: RunJudgingStore["contractsOf"];
}

export interface WindowReading {
  readonly window: TimeWindow;
  /** Bytes of the answer. */
  readonly maxBytes: number;
}
