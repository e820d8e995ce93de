/**
 * OTLP traces and logs as both decoders yield them (opentelemetry-proto v1.11): the proto's names in camelCase.
 *
 * - Ids are lower-case hex text of whatever length was sent; `''` when absent. `span-rows.ts` and `log-rows.ts` judge them.
 * - Times are nanoseconds since the epoch as `bigint`: a double loses the last digits.
 * - Text is well-formed Unicode: broken UTF-8 or UTF-16 has become U+FFFD. NUL stays.
 * - An absent field has the proto's default. Fields no consumer reads (flags of spans, dropped counts) are not kept.
 */

export type AnyValue =
  | { readonly type: "empty" }
  | { readonly type: "stringValue"; readonly value: string }
  | { readonly type: "boolValue"; readonly value: boolean }
  | { readonly type: "intValue"; readonly value: bigint }
  | { readonly type: "doubleValue"; readonly value: number }
  | { readonly type: "arrayValue"; readonly value: readonly AnyValue[] }
  | { readonly type: "kvlistValue"; readonly value: readonly KeyValue[] }
  | { readonly type: "bytesValue"; readonly value: Uint8Array };

export const EMPTY_VALUE: AnyValue = { type: "empty" };

export interface KeyValue {
  key: string;
  value: AnyValue;
}

export interface Resource {
  attributes: KeyValue[];
}

export interface InstrumentationScope {
  name: string;
  version: string;
  attributes: KeyValue[];
}

/** `ExportTraceServiceRequest`. */
export interface TracesData {
  resourceSpans: ResourceSpans[];
}

export interface ResourceSpans {
  resource: Resource;
  scopeSpans: ScopeSpans[];
  schemaUrl: string;
}

export interface ScopeSpans {
  scope: InstrumentationScope;
  spans: Span[];
  schemaUrl: string;
}

export interface Span {
  traceId: string;
  spanId: string;
  traceState: string;
  parentSpanId: string;
  name: string;
  /** `SpanKind` as its number; unknown numbers are kept. */
  kind: number;
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  attributes: KeyValue[];
  events: SpanEvent[];
  links: SpanLink[];
  status: Status;
}

export interface SpanEvent {
  timeUnixNano: bigint;
  name: string;
  attributes: KeyValue[];
}

export interface SpanLink {
  traceId: string;
  spanId: string;
  traceState: string;
  attributes: KeyValue[];
}

export interface Status {
  message: string;
  /** `StatusCode` as its number; unknown numbers are kept. */
  code: number;
}

/** `ExportLogsServiceRequest`. */
export interface LogsData {
  resourceLogs: ResourceLogs[];
}

export interface ResourceLogs {
  resource: Resource;
  scopeLogs: ScopeLogs[];
  schemaUrl: string;
}

export interface ScopeLogs {
  scope: InstrumentationScope;
  logRecords: LogRecord[];
  schemaUrl: string;
}

export interface LogRecord {
  timeUnixNano: bigint;
  observedTimeUnixNano: bigint;
  severityNumber: number;
  severityText: string;
  body: AnyValue;
  attributes: KeyValue[];
  flags: number;
  traceId: string;
  spanId: string;
  eventName: string;
}
