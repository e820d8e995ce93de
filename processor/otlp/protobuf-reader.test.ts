import { describe, expect, it } from "vitest";
import { OtlpDecodeError } from "./decode-error.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import {
  bytesField,
  concat,
  fixed32Field,
  messageField,
  textField,
  varint,
  varintField,
} from "./testing/protobuf-writer.ts";

const reading = (...parts: readonly Uint8Array[]): ProtobufReader => {
  const reader = new ProtobufReader(concat(...parts));
  reader.nextField();
  return reader;
};

function errorOf(run: () => unknown): OtlpDecodeError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(OtlpDecodeError);
    return error as OtlpDecodeError;
  }
  throw new Error("nothing was thrown");
}

describe("ProtobufReader", () => {
  it.each([0n, 1n, 127n, 128n, 300n, 2n ** 28n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 35n, 2n ** 53n + 1n, 2n ** 63n - 1n])(
    "reads the 64-bit integer %s and its negative exactly",
    (value) => {
      expect(reading(varintField(3, value)).int64()).toBe(value);
      expect(reading(varintField(3, -value)).int64()).toBe(-value);
    },
  );

  it("reads the smallest 64-bit integer", () => {
    expect(reading(varintField(3, -(2n ** 63n))).int64()).toBe(-(2n ** 63n));
  });

  it("drops the high bits of a negative 32-bit integer, which is sent with ten bytes", () => {
    expect(reading(varintField(3, -2)).int32()).toBe(-2);
  });

  it("accepts a varint padded to ten bytes", () => {
    const padded = Uint8Array.of(0x18, 0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00);
    expect(reading(padded).int64()).toBe(5n);
  });

  it("refuses a varint of eleven bytes and one of more than 64 bits", () => {
    const eleven = Uint8Array.of(0x18, ...Array<number>(10).fill(0x80), 0x00);
    const tooBig = Uint8Array.of(0x18, ...Array<number>(9).fill(0xff), 0x02);
    expect(errorOf(() => reading(eleven).int64()).message).toBe("varint is longer than 64 bits (at byte 1)");
    expect(errorOf(() => reading(tooBig).int64()).byteOffset).toBe(1);
  });

  it("refuses a varint cut short", () => {
    expect(errorOf(() => reading(Uint8Array.of(0x18, 0x80)).int64())).toMatchObject({
      code: "malformed",
      message: "varint is cut short (at byte 1)",
    });
  });

  it("refuses text that ends after its message, at the offset of its length", () => {
    expect(errorOf(() => reading(Uint8Array.of(0x0a, 0x05, 0x61)).string()).message).toBe(
      "field 1 is longer than its message (at byte 1)",
    );
  });

  it("refuses a length of more than 32 bits without allocating for it", () => {
    const bytes = concat(Uint8Array.of(0x0a), varint(2n ** 40n));
    expect(errorOf(() => reading(bytes).string()).byteOffset).toBe(1);
  });

  it("refuses a field that ends outside its embedded message, though the body goes on", () => {
    const inner = Uint8Array.of(0x0a, 0x09, 0x61);
    const reader = reading(bytesField(1, inner), textField(2, "more than enough"));
    reader.enter();
    reader.nextField();
    expect(errorOf(() => reader.string()).message).toContain("longer than its message");
  });

  it.each([
    ["a group start", 3],
    ["a group end", 4],
    ["wire type 6", 6],
    ["wire type 7", 7],
  ])("refuses %s in an unknown field", (_name, wireType) => {
    expect(errorOf(() => reading(varint((9 << 3) | wireType)).skip()).message).toContain(`wire type ${wireType}`);
  });

  it("refuses field number 0 and field numbers over 29 bits", () => {
    expect(errorOf(() => reading(Uint8Array.of(0x00, 0x00))).byteOffset).toBe(0);
    expect(errorOf(() => reading(varint(2n ** 35n))).message).toContain("field number");
  });

  it("refuses a known field of another wire type", () => {
    expect(errorOf(() => reading(fixed32Field(1, 7)).string()).message).toContain(
      "field 1 has wire type 5 (fixed32), not length-delimited",
    );
  });

  it("replaces broken UTF-8 by U+FFFD and keeps NUL and a byte order mark", () => {
    expect(reading(bytesField(1, Uint8Array.of(0x61, 0xff, 0x62, 0x00))).string()).toBe("a\ufffdb\0");
    expect(reading(textField(1, "\ufeffx")).string()).toBe("\ufeffx");
    expect(
      reading(bytesField(1, Uint8Array.of(0xed, 0xa0, 0x80)))
        .string()
        .isWellFormed(),
    ).toBe(true);
  });

  it("skips fields of every kind and reads on after an embedded message", () => {
    const reader = new ProtobufReader(
      concat(varintField(1, 2n ** 60n), fixed32Field(2, 1), messageField(3, textField(1, "in")), textField(4, "after")),
    );
    const seen: number[] = [];
    while (reader.nextField()) {
      seen.push(reader.field);
      if (reader.field === 4) expect(reader.string()).toBe("after");
      else reader.skip();
    }
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it("reads a body that is a view into a larger buffer", () => {
    const whole = concat(Uint8Array.of(0xff, 0xff), textField(1, "inside"));
    expect(reading(whole.subarray(2)).string()).toBe("inside");
  });
});
