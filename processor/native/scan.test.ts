import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OtlpDecodeError } from "../otlp/decode-error.ts";
import { MAX_ATTRIBUTES, MAX_NODES, MAX_REPEATED_LENGTH } from "../otlp/limits.ts";
import { logRowsFrom } from "../otlp/log-rows.ts";
import type { TracesData } from "../otlp/model.ts";
import { decodeLogsProtobuf } from "../otlp/protobuf-logs.ts";
import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { logsArbitrary, tracesArbitrary } from "../otlp/testing/arbitraries.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, nestedValue } from "../otlp/testing/model-builders.ts";
import {
  bytesField,
  concat,
  fixed32Field,
  messageField,
  textField,
  varintField,
} from "../otlp/testing/protobuf-writer.ts";
import { createLogsScan } from "./scan-logs.ts";
import { createTracesScan } from "./scan-traces.ts";
import { mutate, mutation } from "./testing/mutate.ts";

const EVENTS = new Set(["start", "close"]);
const scanTraces = createTracesScan(EVENTS);
const scanLogs = createLogsScan();

function saidOr<Result>(say: () => Result): Result | string {
  try {
    return say();
  } catch (error) {
    if (!(error instanceof OtlpDecodeError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const listOf = (rejections: ReadonlyMap<string, number>) =>
  [...rejections].map(([reason, count]) => ({ reason, count }));

function expectTraces(body: Uint8Array): void {
  const expected = saidOr(() => {
    const { rows, rejections } = spanRowsFrom(decodeTracesProtobuf(body));
    const areEvents = rows.every(({ SpanAttributes }) => EVENTS.has(SpanAttributes["runproof.event"] ?? ""));
    return { rows: rows.length, rejected: listOf(rejections), onlyEvents: rows.length > 0 && areEvents };
  });
  expect(saidOr(() => scanTraces(body))).toEqual(expected);
}

function expectLogs(body: Uint8Array): void {
  const expected = saidOr(() => {
    const { rows, rejections } = logRowsFrom(decodeLogsProtobuf(body));
    return { rows: rows.length, rejected: listOf(rejections) };
  });
  expect(saidOr(() => scanLogs(body))).toEqual(expected);
}

const mutated = <Data>(data: fc.Arbitrary<Data>, encode: (data: Data) => Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(data.map(encode), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([bytes, mutations]) => mutations.reduce(mutate, bytes));

/** Events as texts and as other values, once, twice and beside other attributes. */
const event = fc.record(
  {
    key: fc.constantFrom("runproof.event", "runproof.event", "server.address", "runproof.evenT"),
    value: fc.oneof(
      fc.constantFrom("start", "close", "run", "").map((value) => ({ type: "stringValue" as const, value })),
      fc.constant({ type: "boolValue" as const, value: true }),
    ),
  },
  { noNullPrototype: true },
);
const startEvent = attribute("runproof.event", "start");
const recordBodies: fc.Arbitrary<TracesData> = fc
  .tuple(
    tracesArbitrary,
    fc.oneof(fc.array(fc.array(event, { maxLength: 2 }), { minLength: 1, maxLength: 5 }), fc.constant([[startEvent]])),
  )
  .map(([data, lists]) => {
    let at = 0;
    const spans = data.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((group) => group.spans));
    for (const one of spans) one.attributes.push(...lists[at++ % lists.length]!);
    return data;
  });

describe("a scan of traces", () => {
  it("says what decoder and rows say, the events of runs among it", () => {
    fc.assert(fc.property(recordBodies.map(encodeTracesProtobuf), expectTraces), { numRuns: 1_000 });
    fc.assert(fc.property(mutated(recordBodies, encodeTracesProtobuf), expectTraces), { numRuns: 4_000 });
  }, 240_000);

  it("knows an event in every spelling of the wire, and none that the row will not have", () => {
    const key = textField(1, "runproof.event");
    const value = messageField(2, textField(1, "start"));
    const spanOf = (...attributes: Uint8Array[]) =>
      messageField(
        1,
        messageField(
          2,
          messageField(2, bytesField(1, Buffer.alloc(16, 1)), bytesField(2, Buffer.alloc(8, 1)), ...attributes),
        ),
      );
    const other = messageField(9, textField(1, "k"), value);
    const cases: [boolean, Uint8Array][] = [
      [true, spanOf(messageField(9, key, value))],
      [true, spanOf(messageField(9, value, key))],
      [true, spanOf(messageField(9, textField(1, "x"), value, key))],
      [false, spanOf(messageField(9, key, value, textField(1, "x")))],
      [false, spanOf(messageField(9, key, value), messageField(9, key, messageField(2, textField(1, "run"))))],
      [false, spanOf(messageField(9, key), other)],
      [true, spanOf(messageField(9, key, messageField(2, varintField(2, 1), textField(1, "close"))))],
      // A length of one byte spelled in two.
      [true, spanOf(messageField(9, Buffer.from([0x0a, 0x8e, 0x00, ...Buffer.from("runproof.event")]), value))],
      [false, spanOf(...Array.from({ length: MAX_ATTRIBUTES }, () => other), messageField(9, key, value))],
      [false, spanOf(messageField(11, messageField(3, key, value)))],
    ];
    for (const [onlyEvents, body] of cases) {
      expect(scanTraces(body)).toEqual({ rows: 1, rejected: [], onlyEvents });
      expectTraces(body);
    }
  });
});

describe("a scan of logs", () => {
  it("says what decoder and rows say", () => {
    fc.assert(fc.property(logsArbitrary.map(encodeLogsProtobuf), expectLogs), { numRuns: 1_000 });
    fc.assert(fc.property(mutated(logsArbitrary, encodeLogsProtobuf), expectLogs), { numRuns: 4_000 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), expectLogs), { numRuns: 3_000 });
  }, 240_000);

  it("passes over fields it does not know, at every level", () => {
    const unknown = [varintField(3_000, 1), fixed32Field(16, 257), bytesField(900, Buffer.from("new"))];
    const record = messageField(2, textField(3, "INFO"), messageField(5, textField(1, "body")), ...unknown);
    const scope = messageField(1, textField(1, "scope"), ...unknown);
    const body = concat(messageField(1, messageField(2, record, scope, ...unknown), ...unknown), ...unknown);
    expect(scanLogs(body)).toEqual({ rows: 1, rejected: [] });
    expectLogs(body);
  });

  it("refuses what is too much for the decoder: levels, attributes, repeated resources", () => {
    expectLogs(encodeLogsProtobuf(logs([logRecord({ body: nestedValue(33, "kvlistValue") })])));
    expectLogs(bytesField(1, bytesField(2, Buffer.alloc(MAX_NODES, Buffer.from([0x12, 0x00])))));
    const long = attribute("r", "x".repeat(1_000_000));
    const records = Array.from({ length: Math.ceil(MAX_REPEATED_LENGTH / 1_000_000) + 1 }, () => logRecord());
    const body = encodeLogsProtobuf(logs(records, [long]));
    expect(saidOr(() => scanLogs(body))).toMatch(/^too_many/);
    expectLogs(body);
  });
});
