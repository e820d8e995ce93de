import { describe, expect, it } from "vitest";
import { decodeLogsJson } from "./json-logs.ts";
import { decodeTracesJson } from "./json-traces.ts";
import { MAX_ANY_VALUE_DEPTH } from "./limits.ts";
import { encodeTracesJson } from "./testing/encode-json.ts";
import { attribute, nestedValue, span, traces } from "./testing/model-builders.ts";

const decodeSpan = (spanJson: string) =>
  decodeTracesJson(Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${spanJson}]}]}]}`)).resourceSpans[0]
    ?.scopeSpans[0]?.spans[0];
const decodeValue = (valueJson: string) =>
  decodeSpan(`{"attributes":[{"key":"k","value":${valueJson}}]}`)?.attributes[0]?.value;

describe("decodeTracesJson", () => {
  it("lower-cases hex ids", () => {
    const ids =
      '"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173"';
    expect(decodeSpan(`{${ids}}`)).toMatchObject({
      traceId: "5b8efff798038103d269b633813fc60c",
      spanId: "eee19b7ec3c1b174",
      parentSpanId: "eee19b7ec3c1b173",
    });
  });

  it("keeps every digit of a time, as text or as a number", () => {
    const decoded = decodeSpan('{"startTimeUnixNano":"1795242245995000001","endTimeUnixNano":1795242245995000003}');
    expect(decoded).toMatchObject({
      startTimeUnixNano: 1_795_242_245_995_000_001n,
      endTimeUnixNano: 1_795_242_245_995_000_003n,
    });
  });

  it.each([
    ['{"stringValue":"text"}', { type: "stringValue", value: "text" }],
    ['{"stringValue":""}', { type: "stringValue", value: "" }],
    ['{"boolValue":false}', { type: "boolValue", value: false }],
    ['{"intValue":319}', { type: "intValue", value: 319n }],
    ['{"intValue":"-9223372036854775808"}', { type: "intValue", value: -(2n ** 63n) }],
    ['{"intValue":9007199254740993}', { type: "intValue", value: 9_007_199_254_740_993n }],
    ['{"intValue":1e+300}', { type: "doubleValue", value: 1e300 }],
    ['{"intValue":18446744073709551616}', { type: "doubleValue", value: 2 ** 64 }],
    ['{"doubleValue":0.5}', { type: "doubleValue", value: 0.5 }],
    ['{"doubleValue":12345678901234567890}', { type: "doubleValue", value: Number("12345678901234567890") }],
    ['{"doubleValue":"NaN"}', { type: "doubleValue", value: Number.NaN }],
    ['{"doubleValue":"-Infinity"}', { type: "doubleValue", value: Number.NEGATIVE_INFINITY }],
    ['{"doubleValue":"1.5e3"}', { type: "doubleValue", value: 1500 }],
    ['{"bytesValue":"AP8="}', { type: "bytesValue", value: Buffer.from([0, 255]) }],
    ['{"arrayValue":{}}', { type: "arrayValue", value: [] }],
    ['{"arrayValue":{"values":[{},null]}}', { type: "arrayValue", value: [{ type: "empty" }, { type: "empty" }] }],
    ['{"kvlistValue":{"values":[{"key":"a"}]}}', { type: "kvlistValue", value: [attribute("a", { type: "empty" })] }],
    ['{"stringValue":null}', { type: "empty" }],
    ["{}", { type: "empty" }],
    ["null", { type: "empty" }],
  ])("decodes the value %s", (json, value) => {
    expect(decodeValue(json)).toEqual(value);
  });

  it("ignores unknown fields, also deep ones and `__proto__`", () => {
    expect(decodeSpan('{"name":"n","future":[{"a":[1]}],"__proto__":{"kind":3},"droppedEventsCount":1}')).toEqual(
      span({ traceId: "", spanId: "", name: "n", kind: 0, startTimeUnixNano: 0n, endTimeUnixNano: 0n }),
    );
  });

  it("replaces lone surrogates and broken UTF-8 by U+FFFD and keeps NUL", () => {
    expect(decodeValue('{"stringValue":"a\\ud800b\\u0000"}')).toEqual({ type: "stringValue", value: "a\ufffdb\0" });
    const body = Buffer.from('{"resourceSpans":[{"schemaUrl":"x?"}]}');
    body[body.indexOf("?")] = 0xff;
    expect(decodeTracesJson(body).resourceSpans[0]?.schemaUrl).toBe("x\ufffd");
  });

  it("accepts a byte order mark", () => {
    expect(decodeTracesJson(Buffer.from("\ufeff{}"))).toEqual({ resourceSpans: [] });
  });

  it.each(["arrayValue", "kvlistValue"] as const)(
    "accepts %s nested to the limit and refuses one level more",
    (type) => {
      const body = (levels: number) => {
        const events = [{ timeUnixNano: 0n, name: "e", attributes: [attribute("deep", nestedValue(levels, type))] }];
        return encodeTracesJson(traces([span({ events })]));
      };
      expect(decodeTracesJson(body(MAX_ANY_VALUE_DEPTH)).resourceSpans).toHaveLength(1);
      expect(() => decodeTracesJson(body(MAX_ANY_VALUE_DEPTH + 1))).toThrow(
        expect.objectContaining({ code: "too_deep" }),
      );
    },
  );

  it.each([
    ["", "the body is not JSON"],
    ["{", "the body is not JSON"],
    ["[]", "the body must be an object, found []"],
    ["null", "the body must be an object, found null"],
    ['{"resourceSpans":{}}', "resourceSpans must be an array, found {}"],
    ['{"resourceSpans":[1]}', "resourceSpans must be an object, found 1"],
    ['{"resourceSpans":[{"schemaUrl":5}]}', "schemaUrl must be a string, found 5"],
  ])("refuses the body %s", (body, message) => {
    expect(() => decodeTracesJson(Buffer.from(body))).toThrow(
      expect.objectContaining({
        name: "OtlpDecodeError",
        code: "malformed",
        message: expect.stringContaining(message),
      }),
    );
  });

  it.each([
    ['{"startTimeUnixNano":"-1"}', "startTimeUnixNano must be an unsigned 64-bit integer"],
    ['{"startTimeUnixNano":1.5}', "startTimeUnixNano must be an unsigned 64-bit integer"],
    ['{"startTimeUnixNano":"18446744073709551616"}', "startTimeUnixNano must be an unsigned 64-bit integer"],
    ['{"startTimeUnixNano":"2026-11-21T00:00:00Z"}', "startTimeUnixNano must be an unsigned 64-bit integer"],
    ['{"kind":"SPAN_KIND_SERVER"}', 'kind must be an unsigned 32-bit integer, found "SPAN_KIND_SERVER"'],
    ['{"attributes":[{"key":"k","value":"text"}]}', 'value must be an object, found "text"'],
    ['{"attributes":[{"key":"k","value":{"intValue":"1.5"}}]}', "intValue must be a 64-bit integer"],
    ['{"attributes":[{"key":"k","value":{"boolValue":"true"}}]}', "boolValue must be true or false"],
    ['{"attributes":[{"key":"k","value":{"doubleValue":""}}]}', "doubleValue must be a number"],
    ['{"attributes":[{"key":"k","value":{"bytesValue":"a b"}}]}', "bytesValue must be base64 text"],
  ])("refuses the span %s and names the field", (json, message) => {
    expect(() => decodeSpan(json)).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
  });

  it("shows at most the beginning of a wrong value", () => {
    expect(() => decodeSpan(`{"kind":"${"x".repeat(10_000)}"}`)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("x".repeat(100)) }),
    );
  });
});

describe("decodeLogsJson", () => {
  it("decodes a record", () => {
    const record =
      '{"timeUnixNano":"1","observedTimeUnixNano":"2","severityNumber":17,"severityText":"ERROR","flags":1,' +
      '"body":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}},"eventName":"e","spanId":"AB"}';
    const [group] = decodeLogsJson(
      Buffer.from(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`),
    ).resourceLogs;
    expect(group?.scopeLogs[0]?.logRecords).toEqual([
      {
        timeUnixNano: 1n,
        observedTimeUnixNano: 2n,
        severityNumber: 17,
        severityText: "ERROR",
        body: { type: "kvlistValue", value: [{ key: "a", value: { type: "intValue", value: 1n } }] },
        attributes: [],
        flags: 1,
        traceId: "",
        spanId: "ab",
        eventName: "e",
      },
    ]);
  });

  it("refuses a record that is no object", () => {
    expect(() => decodeLogsJson(Buffer.from('{"resourceLogs":[{"scopeLogs":[{"logRecords":["x"]}]}]}'))).toThrow(
      expect.objectContaining({ message: 'logRecords must be an object, found "x"' }),
    );
  });
});
