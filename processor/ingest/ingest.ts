import { isContentError } from "../clickhouse/content-error.ts";
import { insertNative, type NativeInsertTarget } from "../clickhouse/native-insert.ts";
import { SPAN_COLUMNS, type LogRow, type SpanRow } from "../clickhouse/rows.ts";
import type { QuarantineRow } from "../clickhouse/run-rows.ts";
import type { Store } from "../clickhouse/store.ts";
import type { Component } from "../component.ts";
import type { TouchedRun } from "../native/index.ts";
import type { BodyConsumer } from "../receivers/body-consumer.ts";
import { createSpool, type Spool, type SpoolBatch } from "../spool/index.ts";
import { logRowsOf } from "./batch-rows.ts";
import { createSpoolBodies } from "./spool-bodies.ts";
import { createSpoolDrain } from "./spool-drain.ts";
import { storeRows, type RowSink } from "./store-rows.ts";
import { createTracesWriter } from "./traces-writer.ts";

export interface IngestOptions {
  readonly store: Store;
  /** The same store for blocks of the Native format, which its client cannot insert. */
  readonly target: Pick<NativeInsertTarget, "url" | "username" | "password" | "database">;
  readonly spoolDirectory: string;
  /** Bytes not yet stored that the spool holds before it refuses more. */
  readonly spoolMaxBytes: number;
  /** Told of spans that have just become readable. */
  readonly onStored: (touched: readonly TouchedRun[]) => void;
  readonly onError: (what: string, error: unknown) => void;
}

/** The way from a good body to stored rows: spool, then store. */
export interface Ingest {
  /** In the order to start them. */
  readonly components: readonly Component[];
  readonly bodies: BodyConsumer;
  readonly spool: Pick<Spool, "stats">;
  /** Resolves when all that was acknowledged is stored. */
  idle(): Promise<void>;
}

export function createIngest(options: IngestOptions): Ingest {
  const { store, target, onError } = options;
  const spool = createSpool({
    directory: options.spoolDirectory,
    maxBytes: options.spoolMaxBytes,
    now: Date.now,
    onError,
  });
  const writeTraces = createTracesWriter({
    ...rowSink<SpanRow>(store, "traces", (rows, token) => store.insertSpans(rows, token)),
    insertNative: (pieces, token) =>
      insertNative({ ...target, table: "otel_traces", columns: SPAN_COLUMNS, token }, pieces),
  });
  const logSink = rowSink<LogRow>(store, "logs", (rows, token) => store.insertLogs(rows, token));
  const storeBatch = async (batch: SpoolBatch): Promise<void> => {
    const { traces = [], logs = [] } = Object.groupBy(batch.records, (record) => record.kind);
    if (traces.length > 0) options.onStored(await writeTraces(traces, batch.name));
    await storeRows(logs.flatMap(logRowsOf), `${batch.name}-logs`, logSink);
  };
  const drain = createSpoolDrain({ spool, store: storeBatch, onError });
  return { components: [spool, drain], bodies: createSpoolBodies(spool), spool, idle: () => drain.idle() };
}

const rowSink = <Row extends object>(
  store: Store,
  signal: QuarantineRow["signal"],
  insert: RowSink<Row>["insert"],
): RowSink<Row> => ({
  insert,
  isContentError,
  quarantine: (row, reason, token) =>
    store.insertQuarantine([{ received_at: Date.now(), signal, reason, row_json: JSON.stringify(row) }], token),
});
