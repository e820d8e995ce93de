import fc from "fast-check";
import { expect, it } from "vitest";
import { countIntactFrames, encodeFrame, readFrames, type SpoolRecord } from "./frame.ts";

const record: fc.Arbitrary<SpoolRecord> = fc.record({
  kind: fc.constantFrom("traces" as const, "logs" as const),
  encoding: fc.constantFrom("protobuf" as const, "json" as const),
  lane: fc.constantFrom("priority" as const, "bulk" as const),
  project: fc.string({ unit: "grapheme", maxLength: 40 }),
  receivedAtMillis: fc.double({ noNaN: true }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});
const log = fc.array(record, { minLength: 1, maxLength: 12 });

const plain = (records: readonly SpoolRecord[]) =>
  records.map((one) => ({ ...one, payload: Buffer.from(one.payload) }));

/** The log's bytes and where each record ends. */
function written(records: readonly SpoolRecord[]): { bytes: Buffer; ends: number[] } {
  const frames = records.map((one) => Buffer.concat(encodeFrame(one)));
  let end = 0;
  return { bytes: Buffer.concat(frames), ends: frames.map((frame) => (end += frame.length)) };
}

it("reads back what was written", () => {
  fc.assert(
    fc.property(log, (records) => {
      const { frames } = readFrames(written(records).bytes);
      expect(plain(frames.map((frame) => frame.record))).toEqual(plain(records));
    }),
  );
});

it("recovers every record before a cut, wherever it is", () => {
  fc.assert(
    fc.property(log, fc.nat(), (records, at) => {
      const { bytes, ends } = written(records);
      const cut = at % (bytes.length + 1);
      const whole = ends.filter((end) => end <= cut).length;
      const read = readFrames(bytes.subarray(0, cut));
      expect(plain(read.frames.map((frame) => frame.record))).toEqual(plain(records.slice(0, whole)));
      expect(read.stop.reason).toBe(read.end === cut ? "end" : "torn");
    }),
    { numRuns: 2_000 },
  );
});

it("recovers every record before flipped bits, and nothing wrong after", () => {
  fc.assert(
    fc.property(log, fc.nat(), fc.integer({ min: 1, max: 255 }), (records, at, mask) => {
      const { bytes, ends } = written(records);
      const place = at % bytes.length;
      bytes[place]! ^= mask;
      const before = ends.filter((end) => end <= place).length;
      const read = readFrames(bytes);
      expect(plain(read.frames.map((frame) => frame.record))).toEqual(plain(records.slice(0, before)));
      expect(read.stop.reason).not.toBe("end");
      expect(countIntactFrames(bytes.subarray(read.end))).toBe(records.length - before - 1);
    }),
    { numRuns: 2_000 },
  );
});

it("survives any bytes, behind any prefix of a log", () => {
  fc.assert(
    fc.property(log, fc.nat(), fc.uint8Array({ maxLength: 200 }), (records, at, noise) => {
      const { bytes } = written(records);
      const read = readFrames(Buffer.concat([bytes.subarray(0, at % bytes.length), noise]));
      expect(read.end).toBe(read.frames.at(-1)?.end ?? 0);
    }),
    { numRuns: 2_000 },
  );
});
