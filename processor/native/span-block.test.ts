import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OtlpDecodeError } from "../otlp/decode-error.ts";
import { MAX_NODES, MAX_REPEATED_LENGTH } from "../otlp/limits.ts";
import type { TracesData } from "../otlp/model.ts";
import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import type { RowBatch } from "../otlp/row-batch.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { tracesArbitrary } from "../otlp/testing/arbitraries.ts";
import { encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, nestedValue, span, TIME, TRACE_ID, traces } from "../otlp/testing/model-builders.ts";
import {
  bytesField,
  concat,
  fixed32Field,
  messageField,
  textField,
  varintField,
} from "../otlp/testing/protobuf-writer.ts";
import { createTracesScan, scanTraces } from "./scan-traces.ts";
import { createSpanBlock, type SpanBlock } from "./span-block.ts";
import { SpanColumns } from "./span-columns.ts";
import { SpanWriter } from "./span-writer.ts";
import { mutate, mutation } from "./testing/mutate.ts";
import { touchedRunFrom } from "./touched-run.ts";
import { createTracesWalk } from "./walk-traces.ts";
import { WireCursor } from "./wire-cursor.ts";

const bytesOf = (block: SpanBlock): string => Buffer.concat(block.finish()).toString("latin1");

/** All that is said about one body, or why it is refused. */
type Said = { rows: number; rejected: [string, number][]; touched: unknown[]; cut: number; dropped: number } | string;

/** What the decoder and the row path say. */
function oracle(body: Uint8Array): Said {
  try {
    const batch: RowBatch<SpanRow> = spanRowsFrom(decodeTracesProtobuf(body));
    const touched = batch.rows.flatMap((row) => touchedRunFrom(row) ?? []);
    const { cutValues: cut, droppedAttributes: dropped } = batch;
    return { rows: batch.rows.length, rejected: [...batch.rejections], touched, cut, dropped };
  } catch (error) {
    return failure(error);
  }
}

function said(block: SpanBlock, body: Uint8Array): Said {
  try {
    const { rows, rejected, touched, cutValues: cut, droppedAttributes: dropped } = block.append(body);
    return {
      rows,
      rejected: rejected.map(({ reason, count }) => [reason, count]),
      touched: [...touched],
      cut,
      dropped,
    };
  } catch (error) {
    return failure(error);
  }
}

/** The message holds the byte offset. */
function failure(error: unknown): string {
  if (!(error instanceof OtlpDecodeError)) throw error;
  return `${error.code}: ${error.message}`;
}

function scanned(body: Uint8Array): unknown {
  try {
    const { rows, rejected } = scanTraces(body);
    return { rows, rejected: rejected.map(({ reason, count }) => [reason, count]) };
  } catch (error) {
    return failure(error);
  }
}

/** All that is said about a body is what the decoder says, and a refused body leaves no trace. */
function expectAgreement(body: Uint8Array): void {
  const block = createSpanBlock();
  block.append(encodeTracesProtobuf(traces([span({ attributes: [attribute("before", "1")] })])));
  const before = bytesOf(block);
  const expected = oracle(body);
  expect(said(block, body)).toEqual(expected);
  if (typeof expected === "string") {
    expect(bytesOf(block)).toBe(before);
    expect(scanned(body)).toBe(expected);
  } else {
    expect(block.rows).toBe(1 + expected.rows);
    expect(scanned(body)).toEqual({ rows: expected.rows, rejected: expected.rejected });
  }
}

const bodyArbitrary = tracesArbitrary.map(encodeTracesProtobuf);
const runSpan = (runId: string, event?: string) =>
  span({
    attributes: [
      attribute("runproof.run.id", runId),
      ...(event === undefined ? [] : [attribute("runproof.event", event)]),
    ],
  });

describe("a span block", () => {
  it("says about a body what the decoder and the row path say", () => {
    fc.assert(fc.property(bodyArbitrary, expectAgreement), { numRuns: 500 });
  });

  it("refuses the mutated bodies that the decoder refuses, and is then as before", () => {
    const mutated = fc.tuple(bodyArbitrary, fc.array(mutation, { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(mutated, ([bytes, mutations]) => expectAgreement(mutations.reduce(mutate, bytes))),
      { numRuns: 4_000 },
    );
  }, 240_000);

  it("refuses the random bytes that the decoder refuses", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), expectAgreement), { numRuns: 3_000 });
  });

  it("takes a body in every place of a larger buffer", () => {
    const body = encodeTracesProtobuf(traces([runSpan("run-1", "start")], [attribute("service.name", "agents")]));
    const alone = createSpanBlock();
    alone.append(body);
    for (let offset = 0; offset < 8; offset++) {
      const padded = Buffer.alloc(body.length + 16, 0xff);
      padded.set(body, offset);
      const block = createSpanBlock();
      expect(block.append(padded.subarray(offset, offset + body.length)).rows).toBe(1);
      expect(bytesOf(block)).toBe(bytesOf(alone));
    }
  });

  it("is the same after a reset as when new", () => {
    const body = encodeTracesProtobuf(traces([runSpan("run-1", "start")], [attribute("service.name", "agents")]));
    const used = createSpanBlock();
    used.append(encodeTracesProtobuf(traces([runSpan("run-0", "close")], [attribute("other", "x")])));
    used.reset();
    expect(used.rows).toBe(0);
    used.append(body);
    const fresh = createSpanBlock();
    fresh.append(body);
    expect(bytesOf(used)).toBe(bytesOf(fresh));
  });

  it("is a Native block of 22 columns and no rows when nothing was appended", () => {
    const [head] = createSpanBlock().finish();
    expect([...head!]).toEqual([22, 0]);
    expect(createSpanBlock().bytes).toBe(0);
  });

  it("names the runs its spans touch, in order, and nothing of other spans", () => {
    const body = encodeTracesProtobuf(
      traces([
        runSpan("run-1", "start"),
        span({ attributes: [attribute("other", "x")] }),
        runSpan("run-1"),
        runSpan("run-2", "close"),
        runSpan(""),
        // Through the slow path: a key that comes twice.
        span({ attributes: [attribute("runproof.run.id", "a"), attribute("runproof.run.id", "run-3")] }),
      ]),
    );
    expect(createSpanBlock().append(body).touched).toEqual([
      { runId: "run-1", traceId: TRACE_ID, event: "start" },
      { runId: "run-1", traceId: TRACE_ID, event: "" },
      { runId: "run-2", traceId: TRACE_ID, event: "close" },
      { runId: "run-3", traceId: TRACE_ID, event: "" },
    ]);
  });

  it("passes over fields it does not know, at every level", () => {
    const unknown = [varintField(3_000, 1), fixed32Field(16, 257), bytesField(900, Buffer.from("new"))];
    const keyValue = messageField(9, textField(1, "k"), messageField(2, textField(1, "v"), ...unknown), ...unknown);
    const ids = [bytesField(1, Buffer.from(TRACE_ID, "hex")), bytesField(2, Buffer.alloc(8, 7))];
    const event = messageField(11, textField(2, "e"), ...unknown);
    const spanField = messageField(2, ...ids, keyValue, event, messageField(15, ...unknown), ...unknown);
    const scope = messageField(1, textField(1, "scope"), ...unknown);
    const body = concat(messageField(1, messageField(2, spanField, scope, ...unknown), ...unknown), ...unknown);
    expectAgreement(body);
    expect(createSpanBlock().append(body).rows).toBe(1);
  });

  it("refuses what is too much for the decoder: levels, attributes, repeated resources", () => {
    const tooDeep = traces([span({ attributes: [attribute("deep", nestedValue(33, "arrayValue"))] })]);
    expectAgreement(encodeTracesProtobuf(tooDeep));
    const emptySpan = Buffer.from([0x12, 0x00]);
    const tooMany = bytesField(1, bytesField(2, Buffer.alloc((MAX_NODES / 8) * 2 + 2, emptySpan)));
    expectAgreement(tooMany);
    const long = attribute("r", "x".repeat(1_000_000));
    const spans = Array.from({ length: Math.ceil(MAX_REPEATED_LENGTH / 1_000_000) + 1 }, () => span());
    expect(oracle(encodeTracesProtobuf(traces(spans, [long])))).toMatch(/^too_many/);
    const block = createSpanBlock();
    expect(said(block, encodeTracesProtobuf(traces(spans, [long])))).toMatch(/^too_many/);
    expect(block.rows).toBe(0);
  });

  it("keeps the rows before a refused body and takes the ones after it", () => {
    const block = createSpanBlock();
    const good = encodeTracesProtobuf(traces([runSpan("run-1")]));
    block.append(good);
    const broken = Buffer.concat([encodeTracesProtobuf(traces([runSpan("run-9", "new")])), Buffer.from([0x0a, 0x7f])]);
    expect(() => block.append(broken)).toThrow(OtlpDecodeError);
    block.append(good);
    const expected = createSpanBlock();
    expected.append(good);
    expected.append(good);
    expect(bytesOf(block)).toBe(bytesOf(expected));
  });

  it("remembers a resource for the next body without mixing up blocks", () => {
    const scan = createTracesScan();
    const models = Array.from({ length: 40 }, (_, index) =>
      encodeTracesProtobuf(traces([span()], [attribute("service.name", `service-${index % 23}`)])),
    );
    const block = createSpanBlock();
    for (const body of [...models, ...models]) {
      block.append(body);
      expect(scan(body)).toEqual({ rows: 1, rejected: [], onlyEvents: false });
    }
    const text = bytesOf(block);
    for (let index = 0; index < 23; index++) expect(text).toContain(`service-${index}`);
    block.reset();
    block.append(models[0]!);
    expect(bytesOf(block)).not.toContain("service-1");
  });
});

describe("the fast path", () => {
  it("knows every value of a usual span and does not ask the decoder", () => {
    const values: TracesData = traces([
      span({
        parentSpanId: "00f067aa0ba902b7",
        traceState: "a=b",
        attributes: [
          attribute("text", "日本"),
          attribute("bool", { type: "boolValue", value: true }),
          attribute("int", { type: "intValue", value: 443n }),
          attribute("long", { type: "intValue", value: -9n }),
          attribute("double", { type: "doubleValue", value: 0.7 }),
          attribute("array", { type: "arrayValue", value: [{ type: "stringValue", value: "stop" }] }),
          attribute("map", nestedValue(3, "kvlistValue")),
          attribute("bytes", { type: "bytesValue", value: Buffer.from([1]) }),
          attribute("empty", { type: "empty" }),
        ],
        events: [{ timeUnixNano: TIME, name: "exception", attributes: [attribute("exception.type", "E")] }],
        links: [{ traceId: TRACE_ID, spanId: "", traceState: "", attributes: [attribute("k", "v")] }],
        status: { message: "m", code: 2 },
      }),
    ]);
    const writer = new SpanWriter(new SpanColumns());
    const written: number[] = [];
    // A rare span would leave the fast path here, as an exception.
    createTracesWalk()(new WireCursor(encodeTracesProtobuf(values)), {
      resource: () => {},
      span(cursor, end) {
        writer.write(cursor, end);
        written.push(cursor.pos - end);
      },
    });
    expect(written).toEqual([0]);
  });
});
