import type { SpanRow } from "../clickhouse/rows.ts";
import { createSpanBlock, type SpanBlock, touchedRunFrom, type TouchedRun } from "../native/index.ts";
import type { SpoolRecord } from "../spool/index.ts";
import { spanRowsOf } from "./batch-rows.ts";
import { createBlockPool } from "./block-pool.ts";
import { createBreather } from "../breather.ts";
import { storeBlock, type BlockSink } from "./store-block.ts";

/**
 * Stores the spans of some bodies under a token and tells which runs they belong to. Rejects for trouble that a later try
 * may not meet. May be called for several batches at a time.
 */
export type TracesWriter = (records: readonly SpoolRecord[], token: string) => Promise<readonly TouchedRun[]>;

/** Copies protobuf bodies into one columnar block, straight from the log; only what came as JSON goes through rows. */
export function createTracesWriter(sink: BlockSink<SpanRow>): TracesWriter {
  const withBlock = createBlockPool(createSpanBlock);
  return (records, token) =>
    withBlock(async (block) => {
      const touched: TouchedRun[] = [];
      const breathe = createBreather();
      for (const record of records) {
        // One by one: a body may touch more runs than a call may have arguments.
        for (const run of append(block, record)) touched.push(run);
        await breathe();
      }
      const filled = { rows: block.rows, finish: () => block.finish(), asRows: () => records.flatMap(spanRowsOf) };
      await storeBlock(filled, token, sink);
      return touched;
    });
}

function append(block: SpanBlock, record: SpoolRecord): readonly TouchedRun[] {
  if (record.encoding === "protobuf") return block.append(record.payload, { project: record.project }).touched;
  const rows = spanRowsOf(record);
  for (const row of rows) block.appendRow(row);
  return rows.map(touchedRunFrom).filter((run) => run !== undefined);
}
