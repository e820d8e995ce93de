import type { RunReader } from "../clickhouse/run-reader.ts";
import type { LogRow } from "../clickhouse/rows.ts";
import type { ContractRow, RunRow } from "../clickhouse/run-rows.ts";

/** A run that the store holds spans of. */
export interface StoredRun {
  readonly runId: string;
  readonly traceId: string;
}

/** What assembling and watching runs needs of the store. */
export interface RunStore extends RunReader {
  /** The same token stores once, however often it is tried. */
  insertRuns(rows: readonly RunRow[], token: string): Promise<void>;
  insertContracts(rows: readonly ContractRow[]): Promise<void>;
  /** The same token stores once, however often it is tried. */
  insertLogs(rows: readonly LogRow[], token: string): Promise<void>;
  /**
   * Runs with a start, an end or a close among the spans since then that a restart must look at: never recorded, or
   * ended though their row says `started`, abandoned or short of evidence.
   */
  unsettledRuns(sinceUnixMillis: number): Promise<StoredRun[]>;
  /** Whether the process with this `service.instance.id` sent anything that began after that time. */
  heardAfter(instanceId: string, unixMillis: number): Promise<boolean>;
}
