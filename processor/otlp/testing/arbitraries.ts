import fc from "fast-check";
import { MAX_TIME_UNIX_NANO } from "../limits.ts";
import type { AnyValue, KeyValue, LogRecord, LogsData, Span, TracesData } from "../model.ts";

/** Random OTLP models: any well-formed text, hostile keys, every kind of value, ids valid and not. */

const MAX_UINT64 = 18_446_744_073_709_551_615n;

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", "\0", "\u2028", "<script>", "'; DROP TABLE otel_traces; --", "\u{1f600}", "\ufeff", "\ufffd"),
);
const key = fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toString", "service.name", "event.name"));
const time = fc.oneof(fc.bigInt({ min: 0n, max: MAX_TIME_UNIX_NANO }), fc.bigInt({ min: 0n, max: MAX_UINT64 }));

const hexBytes = (...lengths: readonly number[]) =>
  fc
    .oneof(...lengths.map((length) => fc.uint8Array({ minLength: length, maxLength: length })))
    .map((bytes) => Buffer.from(bytes).toString("hex"));

const { value: anyValue } = fc.letrec<{ value: AnyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constant<AnyValue>({ type: "empty" }),
    text.map((value): AnyValue => ({ type: "stringValue", value })),
    fc.boolean().map((value): AnyValue => ({ type: "boolValue", value })),
    fc
      .bigInt({ min: -9_223_372_036_854_775_808n, max: 9_223_372_036_854_775_807n })
      .map((value): AnyValue => ({ type: "intValue", value })),
    fc.double().map((value): AnyValue => ({ type: "doubleValue", value })),
    fc.uint8Array({ maxLength: 8 }).map((value): AnyValue => ({ type: "bytesValue", value: Buffer.from(value) })),
    fc.array(tie("value"), { maxLength: 3 }).map((value): AnyValue => ({ type: "arrayValue", value })),
    fc
      .array(fc.record({ key, value: tie("value") }, { noNullPrototype: true }), { maxLength: 3 })
      .map((value): AnyValue => ({ type: "kvlistValue", value })),
  ),
}));

const plain = { noNullPrototype: true } as const;
const attributes: fc.Arbitrary<KeyValue[]> = fc.array(fc.record({ key, value: anyValue }, plain), { maxLength: 4 });
const resource = fc.record({ attributes }, plain);
const scope = fc.record({ name: text, version: text, attributes }, plain);
const traceId = hexBytes(16, 16, 16, 0, 7);
const spanId = hexBytes(8, 8, 8, 0, 9);

export const spanArbitrary: fc.Arbitrary<Span> = fc.record(
  {
    traceId,
    spanId,
    traceState: text,
    parentSpanId: spanId,
    name: text,
    kind: fc.integer({ min: 0, max: 9 }),
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes,
    events: fc.array(fc.record({ timeUnixNano: time, name: text, attributes }, plain), { maxLength: 2 }),
    links: fc.array(fc.record({ traceId, spanId, traceState: text, attributes }, plain), { maxLength: 2 }),
    status: fc.record({ message: text, code: fc.integer({ min: 0, max: 4 }) }, plain),
  },
  plain,
);

export const tracesArbitrary: fc.Arbitrary<TracesData> = fc.record(
  {
    resourceSpans: fc.array(
      fc.record(
        {
          resource,
          scopeSpans: fc.array(
            fc.record({ scope, spans: fc.array(spanArbitrary, { maxLength: 3 }), schemaUrl: text }, plain),
            { maxLength: 2 },
          ),
          schemaUrl: text,
        },
        plain,
      ),
      { maxLength: 2 },
    ),
  },
  plain,
);

export const logRecordArbitrary: fc.Arbitrary<LogRecord> = fc.record(
  {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: fc.integer({ min: 0, max: 24 }),
    severityText: text,
    body: anyValue,
    attributes,
    flags: fc.integer({ min: 0, max: 511 }),
    traceId,
    spanId,
    eventName: text,
  },
  plain,
);

export const logsArbitrary: fc.Arbitrary<LogsData> = fc.record(
  {
    resourceLogs: fc.array(
      fc.record(
        {
          resource,
          scopeLogs: fc.array(
            fc.record({ scope, logRecords: fc.array(logRecordArbitrary, { maxLength: 3 }), schemaUrl: text }, plain),
            { maxLength: 2 },
          ),
          schemaUrl: text,
        },
        plain,
      ),
      { maxLength: 2 },
    ),
  },
  plain,
);
