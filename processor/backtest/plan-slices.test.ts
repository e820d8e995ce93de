import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketNanos, planSlices } from "./plan-slices.ts";

describe("planning slices", () => {
  it("covers the extent without a gap and without an overlap, and cuts wherever there is too much", () => {
    const rows = fc.array(fc.nat(30), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 40 }), fc.bigInt(1n, 10n ** 12n), (counts, maxRows, widthNanos) => {
        const extent = {
          rows: 0,
          first: "1795000000000000000",
          last: String(1795000000000000000n + BigInt(counts.length) * widthNanos - 1n),
        };
        const buckets = counts.flatMap((count, bucket) => (count === 0 ? [] : [{ bucket, rows: count }]));
        const slices = planSlices(extent, buckets, { widthNanos, maxRows });
        const total = buckets.reduce((sum, bucket) => sum + bucket.rows, 0);
        expect(slices.reduce((sum, slice) => sum + slice.rows, 0)).toBe(total);
        if (total === 0) return;
        expect(slices[0]?.from.startedAt).toBe(extent.first);
        expect(slices.at(-1)?.to.startedAt).toBe(String(BigInt(extent.last) + 1n));
        for (const [index, slice] of slices.entries()) {
          if (index > 0) expect(slice.from).toEqual(slices[index - 1]?.to);
          const ofSlice = buckets.filter(({ bucket }) => {
            const start = BigInt(extent.first) + BigInt(bucket) * widthNanos;
            return start >= BigInt(slice.from.startedAt) && start < BigInt(slice.to.startedAt);
          });
          expect(ofSlice.reduce((sum, bucket) => sum + bucket.rows, 0)).toBe(slice.rows);
          if (slice.rows > maxRows) expect(ofSlice).toHaveLength(1);
        }
      }),
    );
  });

  it("has buckets that reach to the last run, also when all began at once", () => {
    expect(bucketNanos({ rows: 1, first: "5", last: "5" })).toBe(1n);
    const extent = { rows: 1, first: "0", last: "86400000000000" };
    expect(BigInt(extent.last) / bucketNanos(extent)).toBeLessThan(4_000n);
  });
});
