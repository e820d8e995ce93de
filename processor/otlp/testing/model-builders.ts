import type { AnyValue, KeyValue, LogRecord, LogsData, Span, TracesData } from "../model.ts";
import { EMPTY_VALUE } from "../model.ts";

/** Small valid models for tests; a test overrides what it is about. */

export const TRACE_ID = "5b8efff798038103d269b633813fc60c";
export const SPAN_ID = "eee19b7ec3c1b174";

/** 2026-11-21T06:24:05.995000001Z. */
export const TIME = 1_795_242_245_995_000_001n;

export const stringValue = (value: string): AnyValue => ({ type: "stringValue", value });

export const attribute = (key: string, value: string | AnyValue): KeyValue => ({
  key,
  value: typeof value === "string" ? stringValue(value) : value,
});

export const span = (overrides: Partial<Span> = {}): Span => ({
  traceId: TRACE_ID,
  spanId: SPAN_ID,
  traceState: "",
  parentSpanId: "",
  name: "invoke_agent",
  kind: 1,
  startTimeUnixNano: TIME,
  endTimeUnixNano: TIME + 41n,
  attributes: [],
  events: [],
  links: [],
  status: { message: "", code: 0 },
  ...overrides,
});

export const traces = (spans: Span[], resourceAttributes: KeyValue[] = []): TracesData => ({
  resourceSpans: [
    {
      resource: { attributes: resourceAttributes },
      scopeSpans: [{ scope: { name: "runproof", version: "0.1.0", attributes: [] }, spans, schemaUrl: "" }],
      schemaUrl: "",
    },
  ],
});

export const logRecord = (overrides: Partial<LogRecord> = {}): LogRecord => ({
  timeUnixNano: TIME,
  observedTimeUnixNano: 0n,
  severityNumber: 9,
  severityText: "INFO",
  body: EMPTY_VALUE,
  attributes: [],
  flags: 1,
  traceId: TRACE_ID,
  spanId: SPAN_ID,
  eventName: "",
  ...overrides,
});

export const logs = (logRecords: LogRecord[], resourceAttributes: KeyValue[] = []): LogsData => ({
  resourceLogs: [
    {
      resource: { attributes: resourceAttributes },
      scopeLogs: [
        {
          scope: { name: "runproof", version: "0.1.0", attributes: [] },
          logRecords,
          schemaUrl: "https://scope.example",
        },
      ],
      schemaUrl: "https://resource.example",
    },
  ],
});

/** A value nested `levels` deep: `levels - 1` containers around a text. */
export function nestedValue(levels: number, container: "arrayValue" | "kvlistValue"): AnyValue {
  let value = stringValue("core");
  for (let level = 1; level < levels; level++) {
    value =
      container === "arrayValue"
        ? { type: "arrayValue", value: [value] }
        : { type: "kvlistValue", value: [{ key: "k", value }] };
  }
  return value;
}
