import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SPAN_COLUMNS } from "../clickhouse/rows.ts";
import { MAX_ATTRIBUTE_KEY_LENGTH, MAX_ATTRIBUTES, MAX_TEXT_BYTES, MAX_TIME_UNIX_NANO } from "./limits.ts";
import type { Span } from "./model.ts";
import { spanRowsFrom } from "./span-rows.ts";
import { attribute, span, SPAN_ID, stringValue, TIME, TRACE_ID, traces } from "./testing/model-builders.ts";

const rowOf = (overrides: Partial<Span>) => spanRowsFrom(traces([span(overrides)])).rows[0]!;

describe("spanRowsFrom", () => {
  it("writes a span value for value as the Collector's exporter does", () => {
    const model = traces(
      [
        span({
          traceState: "a=b",
          parentSpanId: "0123456789abcdef",
          kind: 3,
          attributes: [attribute("n", { type: "intValue", value: 5n })],
          status: { message: "boom", code: 2 },
          events: [{ timeUnixNano: TIME + 6n, name: "exception", attributes: [attribute("exception.type", "Error")] }],
          links: [{ traceId: TRACE_ID, spanId: SPAN_ID, traceState: "c=d", attributes: [attribute("l", "1")] }],
        }),
      ],
      [attribute("service.name", "agent"), attribute("host.name", "h")],
    );
    const [row] = spanRowsFrom(model).rows;
    expect(JSON.parse(JSON.stringify(row))).toEqual({
      Timestamp: "1795242245995000001",
      TraceId: TRACE_ID,
      SpanId: SPAN_ID,
      ParentSpanId: "0123456789abcdef",
      TraceState: "a=b",
      SpanName: "invoke_agent",
      SpanKind: "Client",
      ServiceName: "agent",
      ResourceAttributes: { "service.name": "agent", "host.name": "h" },
      ScopeName: "runproof",
      ScopeVersion: "0.1.0",
      SpanAttributes: { n: "5" },
      Duration: "41",
      StatusCode: "Error",
      StatusMessage: "boom",
      "Events.Timestamp": ["1795242245995000007"],
      "Events.Name": ["exception"],
      "Events.Attributes": [{ "exception.type": "Error" }],
      "Links.TraceId": [TRACE_ID],
      "Links.SpanId": [SPAN_ID],
      "Links.TraceState": ["c=d"],
      "Links.Attributes": [{ l: "1" }],
    });
    expect(Object.keys(row!).sort()).toEqual([...SPAN_COLUMNS].sort());
  });

  it("names kinds, unknown ones as unspecified", () => {
    const names = [0, 1, 2, 3, 4, 5, 6, -1].map((kind) => rowOf({ kind }).SpanKind);
    const known = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];
    expect(names).toEqual([...known, "Unspecified", "Unspecified"]);
  });

  it("names status codes, unknown ones as unset", () => {
    const names = [0, 1, 2, 3, -1].map((code) => rowOf({ status: { message: "", code } }).StatusCode);
    expect(names).toEqual(["Unset", "Ok", "Error", "Unset", "Unset"]);
  });

  it("never has a negative duration", () => {
    expect(rowOf({ endTimeUnixNano: 5n }).Duration).toBe("0");
    expect(rowOf({ endTimeUnixNano: 0n }).Duration).toBe("0");
  });

  it("has an empty service name without `service.name`", () => {
    expect(rowOf({}).ServiceName).toBe("");
  });

  it("writes an all-zero parent or link id as absent", () => {
    const zero = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceState: "", attributes: [] };
    const row = rowOf({ parentSpanId: "0".repeat(16), links: [zero] });
    expect(row).toMatchObject({ ParentSpanId: "", "Links.TraceId": [""], "Links.SpanId": [""] });
  });

  it.each<[string, Partial<Span>, string]>([
    ["a short trace id", { traceId: "abcd" }, "trace_id must be 16 bytes"],
    ["an empty trace id", { traceId: "" }, "trace_id must be 16 bytes"],
    ["an all-zero trace id", { traceId: "0".repeat(32) }, "trace_id must be 16 bytes"],
    ["a trace id that is not hex", { traceId: "z".repeat(32) }, "trace_id must be 16 bytes"],
    ["a trace id with a line end", { traceId: `${TRACE_ID}\n` }, "trace_id must be 16 bytes"],
    ["a long span id", { spanId: TRACE_ID }, "span_id must be 8 bytes"],
    ["an all-zero span id", { spanId: "0".repeat(16) }, "span_id must be 8 bytes"],
    ["a broken parent id", { parentSpanId: "abc" }, "parent_span_id must be 8 bytes or empty"],
    [
      "a time after 2262",
      { startTimeUnixNano: MAX_TIME_UNIX_NANO + 1n },
      "start_time_unix_nano must be nanoseconds since 1970",
    ],
    [
      "an event after 2262",
      { events: [{ timeUnixNano: MAX_TIME_UNIX_NANO + 1n, name: "", attributes: [] }] },
      "time_unix_nano of an event must be nanoseconds",
    ],
    [
      "a broken link id",
      { links: [{ traceId: "ab", spanId: SPAN_ID, traceState: "", attributes: [] }] },
      "trace_id of a link must be",
    ],
  ])("rejects a span with %s and keeps the rest", (_name, overrides, reason) => {
    const batch = spanRowsFrom(traces([span(), span(overrides), span({ name: "last" })]));
    expect(batch.rows.map((row) => row.SpanName)).toEqual(["invoke_agent", "last"]);
    expect([...batch.rejections]).toEqual([[expect.stringContaining(reason), 1]]);
  });

  it("keeps the first and the last time the engine can hold", () => {
    expect(rowOf({ startTimeUnixNano: 0n }).Timestamp).toBe("0");
    expect(rowOf({ startTimeUnixNano: MAX_TIME_UNIX_NANO }).Timestamp).toBe("9223372036854775807");
  });

  it("keeps hostile keys as keys", () => {
    const hostile = ["__proto__", "constructor", "hasOwnProperty", "toString", "", "\0", "'; DROP TABLE x; --"];
    const row = rowOf({ attributes: hostile.map((key) => attribute(key, `value of ${key}`)) });
    const stored = JSON.parse(JSON.stringify(row)).SpanAttributes as Record<string, string>;
    expect(new Map(Object.entries(stored))).toEqual(new Map(hostile.map((key) => [key, `value of ${key}`])));
    expect(Object.getPrototypeOf(row.SpanAttributes)).toBeNull();
    expect(({} as Record<string, unknown>)["value of __proto__"]).toBeUndefined();
  });

  it("does not take inherited names for attributes", () => {
    expect(rowOf({}).SpanAttributes["constructor"]).toBeUndefined();
  });

  it("cuts a value over the limit at a character boundary and names it", () => {
    const whole = `${"x".repeat(MAX_TEXT_BYTES - 1)}\u00e9 and more`;
    const batch = spanRowsFrom(traces([span({ attributes: [attribute("prompt", whole), attribute("ok", "short")] })]));
    const attributes = batch.rows[0]!.SpanAttributes;
    expect(attributes["prompt"]).toBe("x".repeat(MAX_TEXT_BYTES - 1));
    expect(attributes["ok"]).toBe("short");
    expect(JSON.parse(attributes["runproof.truncated"]!)).toEqual({
      values: [
        {
          column: "SpanAttributes",
          key: "prompt",
          bytes: Buffer.byteLength(whole),
          sha256: createHash("sha256").update(whole).digest("hex"),
        },
      ],
      droppedAttributes: 0,
    });
    expect(batch.cutValues).toBe(1);
  });

  it("keeps a value of exactly the limit, also when it is not ASCII", () => {
    const whole = "\u20ac".repeat(Math.floor(MAX_TEXT_BYTES / 3)) + "x";
    expect(Buffer.byteLength(whole)).toBe(MAX_TEXT_BYTES);
    const { SpanAttributes } = rowOf({ attributes: [attribute("k", whole)] });
    expect(SpanAttributes["k"]).toBe(whole);
    expect(SpanAttributes["runproof.truncated"]).toBeUndefined();
  });

  it("names cuts in every other text of the span", () => {
    const big = "y".repeat(MAX_TEXT_BYTES + 1);
    const row = rowOf({
      name: big,
      traceState: big,
      status: { message: big, code: 0 },
      events: [{ timeUnixNano: TIME, name: big, attributes: [attribute("e", big)] }],
      links: [{ traceId: TRACE_ID, spanId: SPAN_ID, traceState: big, attributes: [attribute("l", big)] }],
    });
    const { values } = JSON.parse(row.SpanAttributes["runproof.truncated"]!) as { values: { column: string }[] };
    expect(values.map(({ column }) => column).sort()).toEqual([
      "Events.Attributes",
      "Events.Name",
      "Links.Attributes",
      "Links.TraceState",
      "SpanName",
      "StatusMessage",
      "TraceState",
    ]);
    expect(row.SpanName).toHaveLength(MAX_TEXT_BYTES);
  });

  it("names a cut resource value in the resource and a cut scope name in each span", () => {
    const big = "z".repeat(MAX_TEXT_BYTES + 1);
    const model = traces([span(), span()], [attribute("r", big)]);
    model.resourceSpans[0]!.scopeSpans[0]!.scope.name = big;
    const { rows } = spanRowsFrom(model);
    expect(rows[0]!.ResourceAttributes["runproof.truncated"]).toContain('"key":"r"');
    expect(rows.map((row) => row.SpanAttributes["runproof.truncated"]?.includes('"ScopeName"'))).toEqual([true, true]);
  });

  it("keeps the first attributes up to the limit and counts the rest", () => {
    const attributes = Array.from({ length: MAX_ATTRIBUTES + 3 }, (_, at) => attribute(`k${at}`, "v"));
    const batch = spanRowsFrom(traces([span({ attributes })]));
    const map = batch.rows[0]!.SpanAttributes;
    expect(map[`k${MAX_ATTRIBUTES - 1}`]).toBe("v");
    expect(map[`k${MAX_ATTRIBUTES}`]).toBeUndefined();
    expect(map["runproof.truncated"]).toBe('{"values":[],"droppedAttributes":3}');
    expect(batch.droppedAttributes).toBe(3);
  });

  it("drops and counts an attribute whose key is over the limit", () => {
    const row = rowOf({ attributes: [attribute("k".repeat(MAX_ATTRIBUTE_KEY_LENGTH + 1), "v"), attribute("a", "b")] });
    expect(Object.keys(row.SpanAttributes)).toEqual(["a", "runproof.truncated"]);
  });

  it("refuses a large resource over many spans before it multiplies", () => {
    const spans = Array.from({ length: 300 }, () => span());
    const model = traces(spans, [attribute("r", stringValue("x".repeat(MAX_TEXT_BYTES)))]);
    expect(() => spanRowsFrom(model)).toThrow(expect.objectContaining({ code: "too_many" }));
  });
});
