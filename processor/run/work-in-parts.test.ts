import { expect, it } from "vitest";
import { workInParts } from "./work-in-parts.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

it("does all the others when one is bad", async () => {
  const done: number[] = [];
  const { failed, untried } = await workInParts(numbers(100), async (part) => {
    if (part.includes(37)) throw new Error("bad");
    done.push(...part);
  });
  expect(failed.map(({ item }) => item)).toEqual([37]);
  expect(untried).toEqual([]);
  expect(done).toEqual(numbers(100).filter((number) => number !== 37));
});

it("gives up soon when everything fails, and names what it did not try", async () => {
  let calls = 0;
  const { failed, untried } = await workInParts(numbers(100), () => {
    calls++;
    return Promise.reject(new Error("the store is away"));
  });
  expect(calls).toBeLessThan(15);
  expect([...failed.map(({ item }) => item), ...untried].toSorted((a, b) => a - b)).toEqual(numbers(100));
});
