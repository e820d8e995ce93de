import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { logRowsFrom } from "../otlp/log-rows.ts";
import { decodeLogRecordProtobuf } from "../otlp/protobuf-logs.ts";
import { decodeSpanProtobuf } from "../otlp/protobuf-traces.ts";
import type { RowBatch } from "../otlp/row-batch.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";

const resource = { attributes: [] };
const scope = { name: "", version: "", attributes: [] };
const schemaUrl = "";

/** One span the way every span went before: as a request of its own, without resource and scope. */
export function slowSpan(message: Uint8Array): RowBatch<SpanRow> {
  const scopeSpans = [{ scope, spans: [decodeSpanProtobuf(message)], schemaUrl }];
  return spanRowsFrom({ resourceSpans: [{ resource, scopeSpans, schemaUrl }] });
}

/** The same for a log record. */
export function slowLogRecord(message: Uint8Array): RowBatch<LogRow> {
  const scopeLogs = [{ scope, logRecords: [decodeLogRecordProtobuf(message)], schemaUrl }];
  return logRowsFrom({ resourceLogs: [{ resource, scopeLogs, schemaUrl }] });
}
