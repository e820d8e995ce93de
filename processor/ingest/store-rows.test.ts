import { describe, expect, it } from "vitest";
import { storeRows, type RowSink } from "./store-rows.ts";

class Refused extends Error {}

/** A store that refuses every block with a bad number in it, and remembers blocks by token. */
function sink(isBad: (row: number) => boolean) {
  const stored = new Map<string, readonly number[]>();
  const quarantined = new Map<string, number>();
  const rows: RowSink<number> = {
    insert: async (block, token) => {
      if (block.some(isBad)) throw new Refused("bad number");
      stored.set(token, block);
    },
    quarantine: async (row, _reason, token) => void quarantined.set(token, row),
    isContentError: (error) => error instanceof Refused,
  };
  return { rows, stored: () => [...stored.values()].flat().toSorted((a, b) => a - b), quarantined };
}

const numbers = Array.from({ length: 100 }, (_, index) => index);

describe("storeRows()", () => {
  it("stores a good block at once, under its name", async () => {
    const { rows, stored, quarantined } = sink(() => false);
    expect(await storeRows(numbers, "b", rows)).toBe(0);
    expect(stored()).toEqual(numbers);
    expect(quarantined.size).toBe(0);
  });

  it("sets aside exactly the bad rows", async () => {
    const { rows, stored, quarantined } = sink((row) => row === 0 || row === 57 || row === 99);
    expect(await storeRows(numbers, "b", rows)).toBe(3);
    expect(stored()).toEqual(numbers.filter((row) => ![0, 57, 99].includes(row)));
    expect([...quarantined.values()].toSorted((a, b) => a - b)).toEqual([0, 57, 99]);
  });

  it("gives the parts of a block the same names every time, so a repetition is the same work", async () => {
    const once = sink((row) => row % 10 === 3);
    await storeRows(numbers, "b", once.rows);
    const names = [...once.quarantined.keys()];
    await storeRows(numbers, "b", once.rows);
    expect([...once.quarantined.keys()]).toEqual(names);
    expect(once.stored()).toHaveLength(90);
  });

  it("passes on trouble that is not about the rows", async () => {
    const { rows } = sink(() => false);
    const away = { ...rows, insert: () => Promise.reject(new Error("ECONNREFUSED")) };
    await expect(storeRows(numbers, "b", away)).rejects.toThrow("ECONNREFUSED");
  });

  it("does nothing for no rows", async () => {
    const { rows, stored } = sink(() => true);
    expect(await storeRows([], "b", rows)).toBe(0);
    expect(stored()).toEqual([]);
  });
});
