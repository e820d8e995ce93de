import type { SpanRow } from "../clickhouse/rows.ts";
import { createSpanBlock, touchedRunFrom, type TouchedRun } from "../native/index.ts";
import type { SpoolRecord } from "../spool/index.ts";
import { spanRowsOf } from "./batch-rows.ts";
import { storeRows, type RowSink } from "./store-rows.ts";

export interface TracesWriterOptions extends RowSink<SpanRow> {
  /** Stores a block of the Native format under a token. Rejects like `insert`. */
  insertNative(pieces: readonly Uint8Array[], token: string): Promise<void>;
}

/**
 * Stores the spans of some bodies under a token and tells which runs they belong to. Rejects for trouble that a later try
 * may not meet.
 */
export type TracesWriter = (records: readonly SpoolRecord[], token: string) => Promise<readonly TouchedRun[]>;

/**
 * Copies protobuf bodies into one columnar block, straight from the log; only what has to be changed or came as JSON
 * goes through rows. A block the store refuses for its content is stored again row by row until the bad ones stand alone.
 * One call at a time: the block's memory is used again.
 */
export function createTracesWriter(options: TracesWriterOptions): TracesWriter {
  const block = createSpanBlock();
  return async (records, token) => {
    block.reset();
    const touched = records.flatMap((record): readonly TouchedRun[] => {
      if (record.encoding === "protobuf" && record.project === "") return block.append(record.payload).touched;
      const rows = spanRowsOf(record);
      for (const row of rows) block.appendRow(row);
      return touchedOf(rows);
    });
    if (block.rows === 0) return touched;
    try {
      await options.insertNative(block.finish(), token);
    } catch (error) {
      if (!options.isContentError(error)) throw error;
      // A name of its own: parts of the refused block must not count as the block.
      await storeRows(records.flatMap(spanRowsOf), `${token}-rows`, options);
    }
    return touched;
  };
}

const touchedOf = (rows: readonly SpanRow[]): TouchedRun[] =>
  rows.map(touchedRunFrom).filter((run) => run !== undefined);
