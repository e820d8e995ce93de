import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createByteBudget } from "./byte-budget.ts";
import { gunzipCapped } from "./gunzip.ts";

const MAX = 1_000_000;

/** The result, and how much of the budget was taken for it. */
async function gunzip(body: Uint8Array, budgetBytes = 10 * MAX) {
  const budget = createByteBudget(budgetBytes);
  const share = budget.open();
  const result = await gunzipCapped(body, MAX, share);
  const taken = budget.usedBytes;
  share.close();
  return { ...result, taken };
}

function lying(body: Buffer, announced: number): Buffer {
  const copy = Buffer.from(body);
  copy.writeUInt32LE(announced, copy.length - 4);
  return copy;
}

describe("gunzipCapped()", () => {
  it.each([
    ["no", Buffer.alloc(0)],
    ["few", Buffer.from("x")],
    ["compressible", Buffer.alloc(MAX, "agent ")],
    ["incompressible", randomBytes(MAX)],
    ["incompressible, few", randomBytes(900)],
  ])("inflates %s bytes and takes them from the budget", async (_name, plain) => {
    const { status, taken, ...rest } = await gunzip(gzipSync(plain));
    expect(status).toBe("complete");
    expect(Buffer.compare((rest as { bytes: Uint8Array }).bytes, plain)).toBe(0);
    expect(taken).toBe(plain.length);
  });

  it("inflates several members, of which the trailer tells only the last", async () => {
    const parts = [randomBytes(50_000), Buffer.alloc(100_000, "b"), Buffer.from("c")];
    const result = await gunzip(Buffer.concat(parts.map((part) => gzipSync(part))));
    expect(result).toMatchObject({ status: "complete", bytes: Buffer.concat(parts) });
  });

  it("keeps nothing of a body that is too large and says so, or says what cannot be true", async () => {
    const bomb = gzipSync(Buffer.alloc(40 * MAX));
    expect(await gunzip(bomb)).toEqual({ status: "too_large", taken: 0 });
    // As a trailer of 4 GiB and of what is a multiple of it.
    expect(await gunzip(lying(bomb, 0))).toEqual({ status: "too_large", taken: 0 });
    expect(await gunzip(lying(bomb, 100))).toEqual({ status: "too_large", taken: 0 });
  });

  it("keeps at most the limit of a body that lies well", async () => {
    const { status, taken } = await gunzip(lying(gzipSync(Buffer.alloc(40 * MAX)), MAX));
    expect(status).toBe("too_large");
    expect(taken).toBeLessThanOrEqual(MAX);
  });

  it("tells what is broken from what is too large", async () => {
    const good = gzipSync(Buffer.alloc(MAX, "agent "));
    expect(await gunzip(good.subarray(0, good.length - 20))).toMatchObject({ status: "broken" });
    expect(await gunzip(lying(good, 2 * MAX))).toMatchObject({ status: "broken" });
    expect(await gunzip(lying(good, 5))).toMatchObject({ status: "broken" });
    expect(await gunzip(Buffer.from("not gzip"))).toMatchObject({ status: "broken" });
  });

  it("takes nothing that the budget has not left", async () => {
    expect(await gunzip(gzipSync(Buffer.alloc(MAX)), 1_000)).toMatchObject({ status: "no_memory", taken: 0 });
  });
});
