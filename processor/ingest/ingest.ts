import { ATTR_PROJECT } from "../../instrumentation/semconv.ts";
import { isContentError } from "../clickhouse/content-error.ts";
import { insertNative as insertNativeOf, type NativeInsertTarget } from "../clickhouse/native-insert.ts";
import { LOG_COLUMNS, SPAN_COLUMNS, type LogRow, type SpanRow } from "../clickhouse/rows.ts";
import type { QuarantineRow } from "../clickhouse/run-rows.ts";
import type { Store } from "../clickhouse/store.ts";
import type { Component } from "../component.ts";
import type { TouchedRun } from "../native/index.ts";
import type { BodyConsumer } from "../receivers/body-consumer.ts";
import { createSpool, type Spool, type SpoolBatch } from "../spool/index.ts";
import type { SpoolFs } from "../spool/spool-fs.ts";
import { createLogsWriter } from "./logs-writer.ts";
import { createSpoolBodies } from "./spool-bodies.ts";
import { createSpoolDrain } from "./spool-drain.ts";
import type { RowSink } from "./store-rows.ts";
import { createTracesWriter } from "./traces-writer.ts";

/** Where the blocks go. */
export type StoreTarget = Omit<NativeInsertTarget, "table" | "columns" | "token" | "timeoutMillis" | "signal">;

export interface IngestOptions {
  readonly store: Store;
  /** The same store for blocks of the Native format, which its client cannot insert. */
  readonly target: StoreTarget;
  readonly spoolDirectory: string;
  /** Bytes not yet stored that the spool holds before it refuses more. */
  readonly spoolMaxBytes: number;
  /** Names of the spool's readers beside the one that stores. Default: none. */
  readonly spoolReaders?: readonly string[];
  /** How long a shutdown goes on storing, milliseconds. Default 0. */
  readonly drainMillis?: number;
  /** Around parts of the way, for figures about it. Default: nothing. */
  readonly metering?: IngestMetering;
  /** Told of spans that have just become readable, and when the first of them came in, milliseconds since the epoch. */
  readonly onStored: (touched: readonly TouchedRun[], receivedSince: number) => void;
  readonly onError: (what: string, error: unknown) => void;
}

/** The same parts, metered. */
export interface IngestMetering {
  readonly spoolFs: SpoolFs;
  readonly insertNative: typeof insertNativeOf;
  batches(store: (batch: SpoolBatch, signal: AbortSignal) => Promise<void>): typeof store;
}

/** The way from a good body to stored rows: spool, then store. */
export interface Ingest {
  /** Start it before its readers, and before `drain`. */
  readonly spool: Spool;
  /** Stores what is in the spool. */
  readonly drain: Component;
  readonly bodies: BodyConsumer;
  /** Resolves when all that was acknowledged is stored. */
  idle(): Promise<void>;
}

export function createIngest(options: IngestOptions): Ingest {
  const { store, target, metering, drainMillis = 0, onError } = options;
  const insertNative = metering?.insertNative ?? insertNativeOf;
  // One for all batches: the drain gives up all of them, or none.
  let givenUp: AbortSignal | undefined;
  const block = (table: string, columns: readonly string[], token: string) => ({
    ...target,
    table,
    columns,
    token,
    ...(givenUp && { signal: givenUp }),
  });
  const spool = createSpool({
    directory: options.spoolDirectory,
    maxBytes: options.spoolMaxBytes,
    now: Date.now,
    onError,
    ...(options.spoolReaders && { readers: options.spoolReaders }),
    ...(metering && { fs: metering.spoolFs }),
  });
  const writeTraces = createTracesWriter({
    ...rowSink<SpanRow>(store, "traces", (rows, token) => store.insertSpans(rows, token)),
    insertNative: (pieces, token) => insertNative(block("otel_traces", SPAN_COLUMNS, token), pieces),
  });
  const writeLogs = createLogsWriter({
    ...rowSink<LogRow>(store, "logs", (rows, token) => store.insertLogs(rows, token)),
    insertNative: (pieces, token) => insertNative(block("otel_logs", LOG_COLUMNS, token), pieces),
  });
  const storeBatch = async (batch: SpoolBatch, signal: AbortSignal): Promise<void> => {
    givenUp = signal;
    const { traces = [], logs = [] } = Object.groupBy(batch.records, (record) => record.kind);
    if (traces.length > 0) {
      const touched = await writeTraces(traces, batch.name);
      options.onStored(touched, receivedSince(traces));
    }
    const touched = await writeLogs(logs, `${batch.name}-logs`);
    if (touched.length > 0) options.onStored(touched, receivedSince(logs));
  };
  const drain = createSpoolDrain({ spool, store: metering?.batches(storeBatch) ?? storeBatch, drainMillis, onError });
  return { spool, drain, bodies: createSpoolBodies(spool), idle: () => drain.idle() };
}

const receivedSince = (records: readonly { readonly receivedAtMillis: number }[]): number =>
  records.reduce((least, { receivedAtMillis }) => Math.min(least, receivedAtMillis), Infinity);

const rowSink = <Row extends SpanRow | LogRow>(
  store: Store,
  signal: QuarantineRow["signal"],
  insert: RowSink<Row>["insert"],
): RowSink<Row> => ({
  insert,
  isContentError,
  quarantine: (row, reason, token) => {
    const project = row.ResourceAttributes[ATTR_PROJECT] ?? "";
    const row_json = JSON.stringify(row);
    return store.insertQuarantine([{ received_at: Date.now(), project, signal, reason, row_json }], token);
  },
});
