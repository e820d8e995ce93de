/**
 * The fields of OTLP's requests for traces and logs by their JSON names (opentelemetry-proto v1.11), whole: what is stored
 * of a record may be less than what is passed on.
 */
export type OtlpMessage = Readonly<Record<string, OtlpField>>;

export interface OtlpField {
  readonly number: number;
  readonly type: ScalarType | OtlpMessage;
  readonly repeated?: true;
}

/** `hex`: an id. `count` and `flags`: what no decoder of ours has checked; an unreadable one is left out. */
export type ScalarType = "text" | "hex" | "fixed64" | "fixed32" | "enum" | "value" | "attributes" | "count" | "flags";

const field = (number: number, type: OtlpField["type"]): OtlpField => ({ number, type });
const repeated = (number: number, type: OtlpField["type"]): OtlpField => ({ number, type, repeated: true });

const RESOURCE: OtlpMessage = { attributes: field(1, "attributes"), droppedAttributesCount: field(2, "count") };

const SCOPE: OtlpMessage = {
  name: field(1, "text"),
  version: field(2, "text"),
  attributes: field(3, "attributes"),
  droppedAttributesCount: field(4, "count"),
};

const EVENT: OtlpMessage = {
  timeUnixNano: field(1, "fixed64"),
  name: field(2, "text"),
  attributes: field(3, "attributes"),
  droppedAttributesCount: field(4, "count"),
};

const LINK: OtlpMessage = {
  traceId: field(1, "hex"),
  spanId: field(2, "hex"),
  traceState: field(3, "text"),
  attributes: field(4, "attributes"),
  droppedAttributesCount: field(5, "count"),
  flags: field(6, "flags"),
};

const SPAN: OtlpMessage = {
  traceId: field(1, "hex"),
  spanId: field(2, "hex"),
  traceState: field(3, "text"),
  parentSpanId: field(4, "hex"),
  name: field(5, "text"),
  kind: field(6, "enum"),
  startTimeUnixNano: field(7, "fixed64"),
  endTimeUnixNano: field(8, "fixed64"),
  attributes: field(9, "attributes"),
  droppedAttributesCount: field(10, "count"),
  events: repeated(11, EVENT),
  droppedEventsCount: field(12, "count"),
  links: repeated(13, LINK),
  droppedLinksCount: field(14, "count"),
  status: field(15, { message: field(2, "text"), code: field(3, "enum") }),
  flags: field(16, "flags"),
};

const LOG_RECORD: OtlpMessage = {
  timeUnixNano: field(1, "fixed64"),
  severityNumber: field(2, "enum"),
  severityText: field(3, "text"),
  body: field(5, "value"),
  attributes: field(6, "attributes"),
  droppedAttributesCount: field(7, "count"),
  flags: field(8, "fixed32"),
  traceId: field(9, "hex"),
  spanId: field(10, "hex"),
  observedTimeUnixNano: field(11, "fixed64"),
  eventName: field(12, "text"),
};

const groups = (scopes: string, records: string, record: OtlpMessage): OtlpMessage => ({
  resource: field(1, RESOURCE),
  [scopes]: repeated(2, { scope: field(1, SCOPE), [records]: repeated(2, record), schemaUrl: field(3, "text") }),
  schemaUrl: field(3, "text"),
});

export const EXPORT_TRACES: OtlpMessage = { resourceSpans: repeated(1, groups("scopeSpans", "spans", SPAN)) };
export const EXPORT_LOGS: OtlpMessage = { resourceLogs: repeated(1, groups("scopeLogs", "logRecords", LOG_RECORD)) };
