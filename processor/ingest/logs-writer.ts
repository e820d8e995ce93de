import type { LogRow } from "../clickhouse/rows.ts";
import { createLogBlock, touchedByLog, type TouchedRun } from "../native/index.ts";
import type { SpoolRecord } from "../spool/index.ts";
import { logRowsOf } from "./batch-rows.ts";
import { createBlockPool } from "./block-pool.ts";
import { createBreather } from "../breather.ts";
import { storeBlock, type BlockSink } from "./store-block.ts";

/**
 * Stores the log records of some bodies under a token and tells which traces they speak of as those of agents. Rejects for
 * trouble that a later try may not meet. May be called for several batches at a time.
 */
export type LogsWriter = (records: readonly SpoolRecord[], token: string) => Promise<readonly TouchedRun[]>;

/** The same for logs as `createTracesWriter`. */
export function createLogsWriter(sink: BlockSink<LogRow>): LogsWriter {
  const withBlock = createBlockPool(createLogBlock);
  return (records, token) =>
    withBlock(async (block) => {
      const touched = new Map<string, TouchedRun>();
      const breathe = createBreather();
      for (const record of records) {
        for (const row of logRowsOf(record)) {
          block.appendRow(row);
          const run = touchedByLog(row);
          if (run !== undefined) touched.set(run.traceId, run);
        }
        await breathe();
      }
      const filled = { rows: block.rows, finish: () => block.finish(), asRows: () => records.flatMap(logRowsOf) };
      await storeBlock(filled, token, sink);
      return [...touched.values()];
    });
}
