import { describe, expect, it } from "vitest";
import { createBytePool } from "./byte-pool.ts";

const MIB = 1024 * 1024;

describe("a pool of memory", () => {
  it("lends the same memory again once it came back, and never twice at a time", () => {
    const pool = createBytePool(8 * MIB);
    const [first, second] = [pool.take(MIB), pool.take(MIB)];
    expect(first.buffer).not.toBe(second.buffer);
    pool.give(first.subarray(10));
    pool.give(first);
    const [third, fourth] = [pool.take(MIB - 5), pool.take(MIB)];
    expect(third.buffer).toBe(first.buffer);
    expect(fourth.buffer).not.toBe(first.buffer);
    expect([third.length, fourth.length]).toEqual([MIB - 5, MIB]);
  });

  it("takes back only what it lent", () => {
    const pool = createBytePool(8 * MIB);
    pool.give(Buffer.alloc(MIB));
    pool.give(pool.take(100));
    expect(pool.idleBytes).toBe(0);
  });

  it("keeps no more idle than it may", () => {
    const pool = createBytePool(2 * MIB);
    const lent = Array.from({ length: 5 }, () => pool.take(MIB));
    for (const buffer of lent) pool.give(buffer);
    expect(pool.idleBytes).toBe(2 * MIB);
  });

  it("lets go of sizes that are no longer asked for", () => {
    const pool = createBytePool(64 * MIB);
    pool.give(pool.take(32 * MIB));
    expect(pool.idleBytes).toBe(32 * MIB);
    for (let use = 0; use < 70; use++) pool.give(pool.take(MIB));
    expect(pool.idleBytes).toBe(MIB);
  });

  it.each([65_536, 65_537, 100_000, 1_500_000, 58_720_256])("gives %i bytes with little waste", (bytes) => {
    const buffer = createBytePool(0).take(bytes);
    expect(buffer.length).toBe(bytes);
    expect(buffer.buffer.byteLength).toBeLessThanOrEqual(bytes * 1.25);
  });
});
