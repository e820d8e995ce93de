import { ATTR_EVALUATION_SCORE_VALUE } from "../../instrumentation/semconv.ts";
import type { AttributeMap, LogRow } from "../clickhouse/rows.ts";
import type { JsonObject } from "../otlp/json-fields.ts";
import { otlpJsonToProtobuf } from "./json-to-protobuf.ts";

/** Rows are text; the conventions have these as doubles, and a backend compares them as such. */
const DOUBLES: ReadonlySet<string> = new Set([ATTR_EVALUATION_SCORE_VALUE]);

/** Rows of `otel_logs` as a protobuf `ExportLogsServiceRequest`, one resource each. */
export const logRowsToProtobuf = (rows: readonly LogRow[]): Uint8Array =>
  otlpJsonToProtobuf({ resourceLogs: rows.map(resourceLogsFrom) }, "logs");

const resourceLogsFrom = (row: LogRow): JsonObject => ({
  resource: { attributes: attributesFrom(row.ResourceAttributes) },
  schemaUrl: row.ResourceSchemaUrl,
  scopeLogs: [
    {
      scope: { name: row.ScopeName, version: row.ScopeVersion, attributes: attributesFrom(row.ScopeAttributes) },
      schemaUrl: row.ScopeSchemaUrl,
      logRecords: [recordFrom(row)],
    },
  ],
});

const recordFrom = (row: LogRow): JsonObject => ({
  timeUnixNano: row.Timestamp,
  observedTimeUnixNano: row.Timestamp,
  severityNumber: row.SeverityNumber,
  severityText: row.SeverityText,
  body: { stringValue: row.Body },
  attributes: attributesFrom(row.LogAttributes),
  flags: row.TraceFlags,
  traceId: row.TraceId,
  spanId: row.SpanId,
  eventName: row.EventName,
});

const attributesFrom = (attributes: AttributeMap): JsonObject[] =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value: DOUBLES.has(key) ? { doubleValue: Number(value) } : { stringValue: value },
  }));
