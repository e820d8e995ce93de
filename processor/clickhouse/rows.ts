/**
 * Rows of the OpenTelemetry Collector's ClickHouse exporter tables, in the shape `JSONEachRow` takes.
 * The column tuples are the one source: the types, the inserts and the start-up check derive from them.
 */

/** Attribute map as the exporter stores it: every value is text (`AsString()`), maps and arrays as JSON. */
export type AttributeMap = Record<string, string>;

/** Stored name of each `SpanKind`, by its OTLP number. SDKs count from `Internal`, one less. */
export const SPAN_KINDS = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"] as const;

/** Stored name of each status code, by its number. */
export const STATUS_CODES = ["Unset", "Ok", "Error"] as const;

/** The 22 insert columns of `otel_traces`. */
export const SPAN_COLUMNS = [
  "Timestamp",
  "TraceId",
  "SpanId",
  "ParentSpanId",
  "TraceState",
  "SpanName",
  "SpanKind",
  "ServiceName",
  "ResourceAttributes",
  "ScopeName",
  "ScopeVersion",
  "SpanAttributes",
  "Duration",
  "StatusCode",
  "StatusMessage",
  "Events.Timestamp",
  "Events.Name",
  "Events.Attributes",
  "Links.TraceId",
  "Links.SpanId",
  "Links.TraceState",
  "Links.Attributes",
] as const;

export interface SpanRow {
  /** Start, nanoseconds since the epoch, decimal text. */
  readonly Timestamp: string;
  /** 32 lower-case hex digits. */
  readonly TraceId: string;
  /** 16 lower-case hex digits. */
  readonly SpanId: string;
  /** 16 lower-case hex digits, or `''` for a root. */
  readonly ParentSpanId: string;
  readonly TraceState: string;
  readonly SpanName: string;
  /** One of `SPAN_KINDS`. */
  readonly SpanKind: string;
  readonly ServiceName: string;
  readonly ResourceAttributes: AttributeMap;
  readonly ScopeName: string;
  readonly ScopeVersion: string;
  readonly SpanAttributes: AttributeMap;
  /** Nanoseconds, decimal text. */
  readonly Duration: string;
  /** One of `STATUS_CODES`. */
  readonly StatusCode: string;
  readonly StatusMessage: string;
  readonly "Events.Timestamp": readonly string[];
  readonly "Events.Name": readonly string[];
  readonly "Events.Attributes": readonly AttributeMap[];
  readonly "Links.TraceId": readonly string[];
  readonly "Links.SpanId": readonly string[];
  readonly "Links.TraceState": readonly string[];
  readonly "Links.Attributes": readonly AttributeMap[];
}

/** The insert columns of `otel_logs` (exporter v0.151 and newer: no `TimestampTime`). */
export const LOG_COLUMNS = [
  "Timestamp",
  "TraceId",
  "SpanId",
  "TraceFlags",
  "SeverityText",
  "SeverityNumber",
  "ServiceName",
  "Body",
  "ResourceSchemaUrl",
  "ResourceAttributes",
  "ScopeSchemaUrl",
  "ScopeName",
  "ScopeVersion",
  "ScopeAttributes",
  "LogAttributes",
  "EventName",
] as const;

export interface LogRow {
  readonly Timestamp: string;
  readonly TraceId: string;
  readonly SpanId: string;
  readonly TraceFlags: number;
  readonly SeverityText: string;
  readonly SeverityNumber: number;
  readonly ServiceName: string;
  readonly Body: string;
  readonly ResourceSchemaUrl: string;
  readonly ResourceAttributes: AttributeMap;
  readonly ScopeSchemaUrl: string;
  readonly ScopeName: string;
  readonly ScopeVersion: string;
  readonly ScopeAttributes: AttributeMap;
  readonly LogAttributes: AttributeMap;
  readonly EventName: string;
}
