import { describe, expect, it } from "vitest";
import { countIntactFrames, encodeFrame, FRAME_HEADER_BYTES, readFrames, type SpoolRecord } from "./frame.ts";
import { recordOf } from "./testing/records.ts";

const bytesOf = (...records: SpoolRecord[]): Buffer => Buffer.concat(records.flatMap((record) => encodeFrame(record)));

describe("readFrames", () => {
  it("gives back every field of every record", () => {
    const records: SpoolRecord[] = [
      {
        ...recordOf("a"),
        kind: "logs",
        encoding: "json",
        lane: "priority",
        project: "größe 🚀",
        receivedAtMillis: 1.5,
      },
      { ...recordOf("b"), project: "", payload: Buffer.alloc(0), receivedAtMillis: 1_790_000_000_000 },
    ];
    const read = readFrames(bytesOf(...records));
    expect(read.frames.map((frame) => ({ ...frame.record, payload: Buffer.from(frame.record.payload) }))).toEqual(
      records,
    );
    expect(read.stop).toEqual({ reason: "end" });
  });

  it("is empty for an empty buffer", () => {
    expect(readFrames(new Uint8Array())).toEqual({ frames: [], end: 0, stop: { reason: "end" } });
  });

  it.each([
    ["torn", (bytes: Buffer) => bytes.subarray(0, -1)],
    ["torn", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2 + 10)],
    ["crc", (bytes: Buffer) => flip(bytes, bytes.length - 1)],
    ["header", (bytes: Buffer) => flip(bytes, bytes.length / 2 + 7)],
    ["magic", (bytes: Buffer) => flip(bytes, bytes.length / 2)],
    ["zeros", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, bytes.length / 2), Buffer.alloc(5_000)])],
    ["zeros", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, bytes.length / 2), Buffer.alloc(1)])],
  ] as const)("stops at the second record when it is damaged: %s", (reason, damage) => {
    const record = recordOf("a");
    const bytes = bytesOf(record, record);
    const read = readFrames(damage(Buffer.from(bytes)));
    expect(read.frames).toHaveLength(1);
    expect(read.end).toBe(bytes.length / 2);
    expect(read.stop.reason).toBe(reason);
  });

  it("says how many bytes a torn record needs", () => {
    const bytes = bytesOf(recordOf("a"));
    expect(readFrames(bytes.subarray(0, 10)).stop).toEqual({ reason: "torn", neededBytes: FRAME_HEADER_BYTES });
    expect(readFrames(bytes.subarray(0, 100)).stop).toEqual({ reason: "torn", neededBytes: bytes.length });
  });

  it("refuses to write a project's name that no frame can hold", () => {
    expect(() => encodeFrame({ ...recordOf("a"), project: "p".repeat(70_000) })).toThrow(RangeError);
  });
});

describe("countIntactFrames", () => {
  it("counts sound records behind a damage", () => {
    const bytes = bytesOf(recordOf("a"), recordOf("b"), recordOf("c"));
    expect(countIntactFrames(flip(bytes, 50))).toBe(2);
  });

  it("stays linear when every byte could start a record", () => {
    const header = Buffer.from(
      bytesOf({ ...recordOf("a"), project: "", payload: Buffer.alloc(1_000_000) }).subarray(0, 28),
    );
    const bytes = Buffer.alloc(16 * 1024 * 1024, header);
    const begin = performance.now();
    expect(countIntactFrames(bytes)).toBe(0);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 0x10;
  return bytes;
}
