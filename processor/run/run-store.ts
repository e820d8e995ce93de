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
  insertRuns(rows: readonly RunRow[]): Promise<void>;
  insertContracts(rows: readonly ContractRow[]): Promise<void>;
  insertLogs(rows: readonly LogRow[]): Promise<void>;
  /** Runs with a start, an end or a close among the spans since then, and no row that fits: never recorded, or still `started` though ended. */
  unsettledRuns(sinceUnixMillis: number): Promise<StoredRun[]>;
  /** Whether the process with this `service.instance.id` sent anything that began after that time. */
  heardAfter(instanceId: string, unixMillis: number): Promise<boolean>;
}
