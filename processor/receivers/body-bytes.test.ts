import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BodyBytes } from "./body-bytes.ts";
import { createByteBudget } from "./byte-budget.ts";

const MIB = 1024 ** 2;
const budget = createByteBudget(64 * MIB);

function collect(chunks: readonly Buffer[], announced: number | undefined): Buffer {
  const share = budget.open();
  const bytes = new BodyBytes(announced, share);
  for (const chunk of chunks) bytes.add(chunk);
  expect(bytes.length).toBe(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  const joined = bytes.joined();
  // Memory that was lent comes back with what another body left there.
  share.close();
  return joined;
}

describe("the bytes of a body", () => {
  it("are what came, whatever was announced", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 8 });
    const announced = fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 4 * MIB }));
    fc.assert(
      fc.property(sizes, announced, (lengths, told) => {
        const chunks = lengths.map((length) => randomBytes(length));
        expect(Buffer.compare(collect(chunks, told), Buffer.concat(chunks))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("keep their order when more comes than was announced", () => {
    const chunks = [MIB, 400_000, 1_000].map((length) => randomBytes(length));
    expect(Buffer.compare(collect(chunks, MIB + 2_000), Buffer.concat(chunks))).toBe(0);
  });

  it("of a large announced body go into one piece of its size, which is the result", () => {
    const chunks = Array.from({ length: 32 }, () => randomBytes(65_536));
    const joined = collect(chunks, 2 * MIB);
    expect(joined.buffer.byteLength).toBe(2 * MIB);
    expect(Buffer.compare(joined, Buffer.concat(chunks))).toBe(0);
  });

  it("cost nothing before they come", () => {
    const bytes = new BodyBytes(2 ** 52, budget.open());
    bytes.add(Buffer.from("few"));
    expect(bytes.joined().toString()).toBe("few");
  });
});
