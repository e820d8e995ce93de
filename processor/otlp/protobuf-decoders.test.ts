import { describe, expect, it } from "vitest";
import { OtlpDecodeError } from "./decode-error.ts";
import { MAX_ANY_VALUE_DEPTH } from "./limits.ts";
import { EMPTY_VALUE } from "./model.ts";
import { decodeLogsProtobuf } from "./protobuf-logs.ts";
import { decodeTracesProtobuf } from "./protobuf-traces.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "./testing/encode-protobuf.ts";
import { attribute, logRecord, logs, nestedValue, span, traces } from "./testing/model-builders.ts";
import { bytesField, concat, fixed32Field, messageField, textField, varintField } from "./testing/protobuf-writer.ts";

const inSpan = (...fields: readonly Uint8Array[]): Uint8Array =>
  messageField(1, messageField(2, messageField(2, ...fields)));
const firstSpan = (body: Uint8Array) => decodeTracesProtobuf(body).resourceSpans[0]?.scopeSpans[0]?.spans[0];

describe("decodeTracesProtobuf", () => {
  it("decodes an empty body as an empty request", () => {
    expect(decodeTracesProtobuf(new Uint8Array())).toEqual({ resourceSpans: [] });
  });

  it("gives an empty span the proto's defaults", () => {
    expect(firstSpan(inSpan())).toEqual(
      span({ traceId: "", spanId: "", name: "", kind: 0, startTimeUnixNano: 0n, endTimeUnixNano: 0n }),
    );
  });

  it("skips unknown fields of every message", () => {
    const unknown = [varintField(900, 7), textField(901, "x"), fixed32Field(902, 1)];
    const keyValue = messageField(9, textField(1, "k"), messageField(2, textField(1, "v"), ...unknown), ...unknown);
    const body = concat(
      messageField(
        1,
        messageField(2, messageField(2, textField(5, "n"), keyValue, ...unknown), ...unknown),
        ...unknown,
      ),
      ...unknown,
    );
    expect(firstSpan(body)).toMatchObject({ name: "n", attributes: [attribute("k", "v")] });
  });

  it("joins a singular message that comes in pieces", () => {
    const body = inSpan(messageField(15, textField(2, "boom")), messageField(15, varintField(3, 2)));
    expect(firstSpan(body)?.status).toEqual({ message: "boom", code: 2 });
  });

  it("takes the last member of a value's oneof", () => {
    const body = inSpan(messageField(9, textField(1, "k"), messageField(2, varintField(3, 5), textField(1, "last"))));
    expect(firstSpan(body)?.attributes).toEqual([attribute("k", "last")]);
  });

  it("leaves the profile-only string index as an empty value", () => {
    const body = inSpan(messageField(9, varintField(3, 4), messageField(2, varintField(8, 4))));
    expect(firstSpan(body)?.attributes).toEqual([attribute("", EMPTY_VALUE)]);
  });

  it.each(["arrayValue", "kvlistValue"] as const)(
    "accepts %s nested to the limit and refuses one level more",
    (type) => {
      const body = (levels: number) =>
        encodeTracesProtobuf(traces([span({ attributes: [attribute("deep", nestedValue(levels, type))] })]));
      expect(firstSpan(body(MAX_ANY_VALUE_DEPTH))?.attributes).toHaveLength(1);
      expect(() => decodeTracesProtobuf(body(MAX_ANY_VALUE_DEPTH + 1))).toThrow(
        expect.objectContaining({ code: "too_deep", name: "OtlpDecodeError" }),
      );
    },
  );

  it("refuses thousands of levels without overflowing the stack", () => {
    let inner: Uint8Array = new Uint8Array();
    for (let level = 0; level < 2_000; level++) inner = bytesField(5, bytesField(1, inner));
    const body = inSpan(messageField(9, messageField(2, inner)));
    expect(() => decodeTracesProtobuf(body)).toThrow(expect.objectContaining({ code: "too_deep" }));
  });

  it("refuses a small body that would become millions of spans", () => {
    const emptySpans = Buffer.alloc(600_000, Uint8Array.of(0x12, 0x00));
    const body = messageField(1, bytesField(2, emptySpans));
    expect(() => decodeTracesProtobuf(body)).toThrow(expect.objectContaining({ code: "too_many" }));
  });

  it("refuses a logs request instead of reading it as empty spans", () => {
    expect(() => decodeTracesProtobuf(encodeLogsProtobuf(logs([logRecord()])))).toThrow(OtlpDecodeError);
  });
});

describe("decodeLogsProtobuf", () => {
  it("decodes an empty body as an empty request", () => {
    expect(decodeLogsProtobuf(new Uint8Array())).toEqual({ resourceLogs: [] });
  });

  it("gives an empty record the proto's defaults", () => {
    const [group] = decodeLogsProtobuf(inSpan()).resourceLogs;
    expect(group?.scopeLogs[0]?.logRecords[0]).toEqual(
      logRecord({ timeUnixNano: 0n, severityNumber: 0, severityText: "", flags: 0, traceId: "", spanId: "" }),
    );
  });

  it("refuses a body nested deeper than the limit", () => {
    const body = nestedValue(MAX_ANY_VALUE_DEPTH + 1, "kvlistValue");
    expect(() => decodeLogsProtobuf(encodeLogsProtobuf(logs([logRecord({ body })])))).toThrow(
      expect.objectContaining({ code: "too_deep" }),
    );
  });

  it("refuses a traces request instead of reading it as empty records", () => {
    expect(() => decodeLogsProtobuf(encodeTracesProtobuf(traces([span()])))).toThrow(OtlpDecodeError);
  });
});
