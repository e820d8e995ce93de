import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { insertNative } from "../clickhouse/native-insert.ts";
import { SPAN_COLUMNS } from "../clickhouse/rows.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import { rowsOf, startEngineFixture, type EngineFixture } from "../clickhouse/testing/engine-fixture.ts";
import { MAX_ATTRIBUTES, MAX_TEXT_BYTES } from "../otlp/limits.ts";
import type { AnyValue, KeyValue, TracesData } from "../otlp/model.ts";
import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { tracesArbitrary } from "../otlp/testing/arbitraries.ts";
import { encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import {
  attribute,
  nestedValue,
  span,
  SPAN_ID,
  stringValue,
  TIME,
  TRACE_ID,
  traces,
} from "../otlp/testing/model-builders.ts";
import { bytesField, fixed64Field, messageField, textField, varintField } from "../otlp/testing/protobuf-writer.ts";
import { createSpanBlock, type SpanBlock } from "./span-block.ts";

/** The fast path and the slow one write the same bodies into two databases of a real engine, which compares them. */

let fixture: EngineFixture;
let slow: Store;
let token = 0;

beforeAll(async () => {
  fixture = await startEngineFixture();
  const options = { url: fixture.engine.url(), ...fixture.engine.serviceCredentials() };
  for (const database of ["fast", "slow"]) {
    await fixture.service.command({ query: `CREATE DATABASE ${database} ENGINE = Atomic` });
    const store = createStore({ ...options, database });
    await store.migrate();
    if (database === "slow") slow = store;
    else await store.close();
  }
});
afterAll(async () => {
  await slow.close();
  await fixture.close();
});

const target = () => ({
  url: fixture.engine.url(),
  ...fixture.engine.serviceCredentials(),
  database: "fast",
  table: "otel_traces",
  columns: SPAN_COLUMNS,
  token: `block-${token++}`,
});

const MATERIALIZED = ["RunId", "RunEvent", "AgentName", "Operation", "ToolName", "RequestModel", "ErrorType"];
const COLUMNS = [...SPAN_COLUMNS, ...MATERIALIZED].map((name) => `\`${name}\``).join(", ");

async function tableOf(database: string): Promise<unknown[]> {
  const query = `SELECT ${COLUMNS} FROM ${database}.otel_traces ORDER BY cityHash64(${COLUMNS})`;
  return rowsOf(fixture.service, query);
}

async function digestOf(database: string): Promise<unknown> {
  const query = `SELECT count() AS rows, sum(cityHash64(${COLUMNS})) AS hash FROM ${database}.otel_traces`;
  return (await rowsOf(fixture.service, query))[0];
}

async function expectEqualTables(): Promise<void> {
  const [fast, expected] = [await digestOf("fast"), await digestOf("slow")];
  if (JSON.stringify(fast) !== JSON.stringify(expected)) expect(await tableOf("fast")).toEqual(await tableOf("slow"));
  expect(fast).toEqual(expected);
}

async function clear(): Promise<void> {
  for (const database of ["fast", "slow"]) {
    await fixture.service.command({ query: `TRUNCATE TABLE ${database}.otel_traces` });
  }
}

/** Both paths take the bodies; what they say about them and what is stored must be the same. */
async function expectSame(bodies: readonly Uint8Array[], block: SpanBlock = createSpanBlock()): Promise<void> {
  await clear();
  const rows = [];
  for (const body of bodies) {
    const batch = spanRowsFrom(decodeTracesProtobuf(body));
    const result = block.append(body);
    expect(result.rows).toBe(batch.rows.length);
    expect(new Map(result.rejected.map(({ reason, count }) => [reason, count]))).toEqual(batch.rejections);
    expect({ cut: result.cutValues, dropped: result.droppedAttributes }).toEqual({
      cut: batch.cutValues,
      dropped: batch.droppedAttributes,
    });
    rows.push(...batch.rows);
  }
  expect(block.rows).toBe(rows.length);
  await slow.insertSpans(rows);
  await insertNative(target(), block.finish());
  await expectEqualTables();
}

const withAttributes = (attributes: KeyValue[]): TracesData =>
  traces([span({ attributes, events: [{ timeUnixNano: TIME, name: "e", attributes }] })], attributes);

const GOLDEN: Record<string, TracesData> = {
  "no span": traces([]),
  "one span": traces([span()]),
  "every kind and status": traces(
    Array.from({ length: 12 }, (_, kind) => span({ kind, status: { message: `m${kind}`, code: kind % 5 } })),
  ),
  "times at their bounds": traces([
    span({ startTimeUnixNano: 0n, endTimeUnixNano: 0n }),
    span({ startTimeUnixNano: 5n, endTimeUnixNano: 4n }),
    span({ startTimeUnixNano: 4_294_967_295n, endTimeUnixNano: 4_294_967_296n }),
    span({ startTimeUnixNano: 0n, endTimeUnixNano: 18_446_744_073_709_551_615n }),
    span({ startTimeUnixNano: 9_223_372_036_854_775_807n, endTimeUnixNano: 1n }),
    span({ startTimeUnixNano: 9_223_372_036_854_775_808n }),
  ]),
  "absent ids": traces([
    span({ parentSpanId: "0000000000000000" }),
    span({ traceId: "00".repeat(16) }),
    span({ spanId: "00".repeat(8) }),
    span({ parentSpanId: "ab" }),
    span({ links: [{ traceId: "00".repeat(16), spanId: "", traceState: "a=b", attributes: [] }] }),
    span({ links: [{ traceId: "ff", spanId: "", traceState: "", attributes: [] }] }),
  ]),
  "integers of every size": withAttributes(
    [0n, 1n, 127n, 128n, 268_435_455n, 268_435_456n, -1n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n].map(
      (value, index): KeyValue => ({ key: `i${index}`, value: { type: "intValue", value } }),
    ),
  ),
  "doubles, bytes and nested values": withAttributes(
    (
      [
        { type: "doubleValue", value: 0.1 },
        { type: "doubleValue", value: -0 },
        { type: "doubleValue", value: Number.NaN },
        { type: "bytesValue", value: Buffer.from([0, 255]) },
        { type: "boolValue", value: true },
        { type: "boolValue", value: false },
        { type: "empty" },
        nestedValue(32, "arrayValue"),
        nestedValue(32, "kvlistValue"),
      ] satisfies AnyValue[]
    ).map((value, index) => ({ key: `v${index}`, value })),
  ),
  "equal keys": withAttributes([
    attribute("a", "1"),
    attribute("b", "2"),
    attribute("a", "3"),
    attribute("", "no name"),
  ]),
  "whole-number keys": withAttributes([attribute("a", "1"), attribute("10", "ten"), attribute("9", "nine")]),
  "texts around the word copy's limit": withAttributes(
    [0, 1, 2, 3, 4, 5, 127, 128, 159, 160, 161, 16_383, 16_384].map((size) => attribute(`t${size}`, "x".repeat(size))),
  ),
  "texts beyond ASCII": withAttributes(
    ["é", "日本", "\u{1f600}", `${"a".repeat(200)}\u2028`].map((t) => attribute(t, t)),
  ),
  "a text to be cut": traces([
    span({ attributes: [attribute("long", "é".repeat(MAX_TEXT_BYTES / 2 + 1)), attribute("short", "s")] }),
    span({ name: "n".repeat(MAX_TEXT_BYTES + 1) }),
    span({ attributes: [attribute("fits", "x".repeat(MAX_TEXT_BYTES))] }),
  ]),
  "too many attributes and a key over its limit": traces(
    [
      span({ attributes: Array.from({ length: MAX_ATTRIBUTES + 2 }, (_, index) => attribute(`k${index}`, "v")) }),
      span({ attributes: [attribute("k".repeat(4_097), "v"), attribute("é".repeat(4_096), "v")] }),
    ],
    Array.from({ length: MAX_ATTRIBUTES + 1 }, (_, index) => attribute(`r${index}`, "v")),
  ),
};

const BROKEN = Buffer.from([0x61, 0xff, 0x62]);
const brokenValue = messageField(2, bytesField(1, BROKEN));
const IDS = [bytesField(1, Buffer.from(TRACE_ID, "hex")), bytesField(2, Buffer.from(SPAN_ID, "hex"))];
const START = fixed64Field(7, TIME);
/** Text near the end of a body goes another way. */
const BEHIND = textField(3, "https://example.com/schema");
const oneSpan = (...fields: Uint8Array[]): Uint8Array =>
  messageField(1, messageField(2, messageField(2, ...IDS, START, ...fields)), BEHIND);
const stringAttribute = (field: number, key: string, value: string): Uint8Array =>
  messageField(field, textField(1, key), messageField(2, textField(1, value)));

/** Bodies that no model encodes to. */
const RAW: Record<string, Uint8Array> = {
  "a value that is not UTF-8": oneSpan(messageField(9, textField(1, "k"), brokenValue)),
  "a long value that is not UTF-8": oneSpan(
    messageField(9, textField(1, "k"), messageField(2, bytesField(1, Buffer.alloc(1_000, 0xe2)))),
  ),
  "keys that are not UTF-8 and then equal": oneSpan(
    messageField(9, bytesField(1, Buffer.from([0xff])), messageField(2, textField(1, "first"))),
    messageField(9, bytesField(1, Buffer.from([0xfe])), messageField(2, textField(1, "second"))),
  ),
  "names and texts that are not UTF-8": oneSpan(
    bytesField(3, BROKEN),
    bytesField(5, BROKEN),
    messageField(11, bytesField(2, BROKEN), messageField(3, bytesField(1, BROKEN), brokenValue)),
    messageField(13, bytesField(3, BROKEN)),
    messageField(15, bytesField(2, BROKEN)),
  ),
  "an array whose texts need escapes": oneSpan(
    ...['"', "\\", "\u0001", "\u007f", "<é>", "\u2028"].map((text, index) =>
      messageField(
        9,
        textField(1, `a${index}`),
        messageField(2, messageField(5, messageField(1, textField(1, text)), messageField(1, textField(1, "b")))),
      ),
    ),
    messageField(9, textField(1, "none"), messageField(2, messageField(5))),
    messageField(9, textField(1, "no value in it"), messageField(2, messageField(5, messageField(1)))),
  ),
  "resource and scope in pieces after the spans": messageField(
    1,
    messageField(
      2,
      messageField(2, ...IDS, START),
      messageField(1, textField(1, "scope")),
      messageField(1, textField(2, "2")),
    ),
    messageField(1, stringAttribute(1, "service.name", "first")),
    messageField(1, stringAttribute(1, "other", "x"), stringAttribute(1, "service.name", "second")),
  ),
  "fields that come twice": oneSpan(
    textField(5, "first"),
    textField(5, "second"),
    varintField(6, 2),
    varintField(6, 3),
    messageField(15, textField(2, "message")),
    messageField(15, varintField(3, 2)),
    messageField(9, textField(1, "no"), textField(1, "yes"), messageField(2, textField(1, "a")), messageField(2)),
    messageField(9, messageField(2, varintField(3, 7)), textField(1, "value before key")),
    messageField(9, textField(1, "two members"), messageField(2, textField(1, "a"), varintField(2, 1))),
    messageField(9, textField(1, "no value")),
    messageField(9),
  ),
  "attributes between events, and no start": messageField(
    1,
    messageField(
      2,
      messageField(
        2,
        stringAttribute(9, "a", "1"),
        messageField(11, stringAttribute(3, "e", "1")),
        stringAttribute(9, "b", "2"),
        messageField(11, fixed64Field(1, TIME), stringAttribute(3, "e", "2")),
        ...IDS,
        textField(5, "late name"),
      ),
    ),
  ),
};

describe("a span block in the engine", () => {
  for (const [name, body] of Object.entries(RAW)) {
    it(`stores what the row path stores: ${name}`, async () => {
      await expectSame([body, body]);
    });
  }

  for (const [name, model] of Object.entries(GOLDEN)) {
    it(`stores what the row path stores: ${name}`, async () => {
      await expectSame([encodeTracesProtobuf(model)]);
    });
  }

  it("stores more than 256 and more than 65,536 distinct names", async () => {
    const bodies = Array.from({ length: 66 }, (_, body) =>
      encodeTracesProtobuf(
        traces(
          Array.from({ length: 1_000 }, (__, index) =>
            span({ name: `name ${body}-${index}`, attributes: body === 0 ? [attribute(`key ${index}`, "v")] : [] }),
          ),
        ),
      ),
    );
    await expectSame(bodies);
  });

  it("stores what the row path stores, whatever the models", async () => {
    const block = createSpanBlock();
    const bodies = fc.array(tracesArbitrary.map(encodeTracesProtobuf), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(bodies, async (some) => {
        block.reset();
        await expectSame(some, block);
      }),
      { numRuns: 60 },
    );
  }, 240_000);

  it("stores rows that came another way as the row path does", async () => {
    await clear();
    const body = encodeTracesProtobuf(GOLDEN["doubles, bytes and nested values"]!);
    const { rows } = spanRowsFrom(decodeTracesProtobuf(body));
    const block = createSpanBlock();
    for (const row of rows) block.appendRow(row);
    block.append(body);
    await slow.insertSpans([...rows, ...rows]);
    await insertNative(target(), block.finish());
    await expectEqualTables();
  });

  it("stores a block once under one token", async () => {
    await clear();
    const block = createSpanBlock();
    block.append(encodeTracesProtobuf(traces([span()])));
    const same = target();
    await insertNative(same, block.finish());
    await insertNative(same, block.finish());
    expect(await digestOf("fast")).toMatchObject({ rows: 1 });
  });

  it("rejects a broken block as the client does", async () => {
    const block = createSpanBlock();
    block.append(encodeTracesProtobuf(traces([span({ attributes: [attribute("a", stringValue("b"))] })])));
    const bytes = Buffer.concat(block.finish());
    await expect(insertNative(target(), [bytes.subarray(0, bytes.length - 3)])).rejects.toMatchObject({
      name: "Error",
      type: expect.stringMatching(/^CANNOT_/),
    });
    const wrong = { ...target(), table: "missing" };
    await expect(insertNative(wrong, block.finish())).rejects.toMatchObject({ type: "UNKNOWN_TABLE", code: "60" });
  });
});
