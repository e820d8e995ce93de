import { ATTR_SERVICE_NAME } from "../../instrumentation/semconv.ts";
import type { AttributeMap, LogRow } from "../clickhouse/rows.ts";
import { textFromAnyValue } from "./any-value-text.ts";
import { attributeMapFrom, markLosses } from "./attribute-map.ts";
import { cutText, noLosses } from "./cut-text.ts";
import { optionalSpanId, optionalTraceId } from "./ids.ts";
import type { LogRecord, LogsData, ResourceLogs, ScopeLogs } from "./model.ts";
import { type RowBatch, RowBatchBuilder } from "./row-batch.ts";
import { isStorableTime, TIME_RULE } from "./storable-time.ts";

/** Where an event's name was before `event_name` became a field (semantic conventions before v1.32). */
const ATTR_EVENT_NAME = "event.name";

type SharedColumn =
  | "ServiceName"
  | "ResourceSchemaUrl"
  | "ResourceAttributes"
  | "ScopeSchemaUrl"
  | "ScopeName"
  | "ScopeVersion"
  | "ScopeAttributes";
/** What the records of one scope share. */
type SharedColumns = Pick<LogRow, SharedColumn>;
type ResourceColumns = Pick<LogRow, "ServiceName" | "ResourceSchemaUrl" | "ResourceAttributes">;

/**
 * Log records as rows of `otel_logs`, value for value as the Collector's ClickHouse exporter writes them.
 *
 * Trace and span id may be absent; one of the wrong length, or a time the engine cannot hold, rejects the record alone.
 * Without a time of its own a record has the time it was observed. Rows share resource and scope maps.
 */
export function logRowsFrom(logs: LogsData): RowBatch<LogRow> {
  const batch = new RowBatchBuilder<LogRow>();
  for (const group of logs.resourceLogs) {
    const resource = resourceColumns(group, batch);
    for (const scopeLogs of group.scopeLogs) addScope(batch, scopeLogs, resource);
  }
  return batch;
}

function resourceColumns(group: ResourceLogs, batch: RowBatchBuilder<LogRow>): ResourceColumns {
  const losses = noLosses();
  const attributes = attributeMapFrom(group.resource.attributes, { column: "ResourceAttributes" }, losses);
  const schemaUrl = cutText(group.schemaUrl, { column: "ResourceSchemaUrl" }, losses);
  markLosses(attributes, losses);
  batch.countLosses(losses);
  const serviceName = attributes[ATTR_SERVICE_NAME] ?? "";
  return { ServiceName: serviceName, ResourceSchemaUrl: schemaUrl, ResourceAttributes: attributes };
}

function addScope(batch: RowBatchBuilder<LogRow>, group: ScopeLogs, resource: ResourceColumns): void {
  const losses = noLosses();
  const attributes = attributeMapFrom(group.scope.attributes, { column: "ScopeAttributes" }, losses);
  const texts: AttributeMap = {
    ResourceSchemaUrl: resource.ResourceSchemaUrl,
    ServiceName: resource.ServiceName,
    ScopeSchemaUrl: cutText(group.schemaUrl, { column: "ScopeSchemaUrl" }, losses),
    ScopeName: cutText(group.scope.name, { column: "ScopeName" }, losses),
    ScopeVersion: cutText(group.scope.version, { column: "ScopeVersion" }, losses),
  };
  markLosses(attributes, losses);
  batch.countLosses(losses);
  batch.repeat([resource.ResourceAttributes, attributes, texts], group.logRecords.length);
  const shared: SharedColumns = {
    ...resource,
    ScopeSchemaUrl: texts["ScopeSchemaUrl"]!,
    ScopeName: texts["ScopeName"]!,
    ScopeVersion: texts["ScopeVersion"]!,
    ScopeAttributes: attributes,
  };
  for (const record of group.logRecords) {
    const reason = rejectionOf(record);
    if (reason !== undefined) batch.reject(reason);
    else batch.rows.push(rowFrom(record, shared, batch));
  }
}

function rejectionOf(record: LogRecord): string | undefined {
  if (optionalTraceId(record.traceId) === undefined)
    return "trace_id must be 16 bytes (32 hex digits in JSON) or empty";
  if (optionalSpanId(record.spanId) === undefined) return "span_id must be 8 bytes (16 hex digits in JSON) or empty";
  if (!isStorableTime(timeOf(record))) return `time_unix_nano or observed_time_unix_nano ${TIME_RULE}`;
  return undefined;
}

const timeOf = (record: LogRecord): bigint =>
  record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano;

function rowFrom(record: LogRecord, shared: SharedColumns, batch: RowBatchBuilder<LogRow>): LogRow {
  const losses = noLosses();
  const attributes = attributeMapFrom(record.attributes, { column: "LogAttributes" }, losses);
  const row: LogRow = {
    ...shared,
    Timestamp: timeOf(record).toString(),
    TraceId: optionalTraceId(record.traceId) ?? "",
    SpanId: optionalSpanId(record.spanId) ?? "",
    // Both columns are UInt8; the exporter keeps the low byte.
    TraceFlags: record.flags & 0xff,
    SeverityNumber: record.severityNumber & 0xff,
    SeverityText: cutText(record.severityText, { column: "SeverityText" }, losses),
    Body: cutText(textFromAnyValue(record.body), { column: "Body" }, losses),
    LogAttributes: attributes,
    EventName: cutText(record.eventName, { column: "EventName" }, losses) || (attributes[ATTR_EVENT_NAME] ?? ""),
  };
  markLosses(attributes, losses);
  batch.countLosses(losses);
  return row;
}
