import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bisectSearch, type Look } from "./bisect-search.ts";

describe("the search for the first bad place", () => {
  test("finds it in any line, and looks at no more than the logarithm of its length", async () => {
    const line = fc.integer({ min: 1, max: 5_000 }).chain((count) => fc.tuple(fc.constant(count), fc.nat(count - 1)));
    await fc.assert(
      fc.asyncProperty(line, async ([count, first]) => {
        const looks: number[] = [];
        const found = await bisectSearch(count, (place): Promise<Look> => {
          looks.push(place);
          return Promise.resolve(place < first ? "good" : "bad");
        });
        expect(found).toEqual({ suspects: [first], looked: looks.length });
        expect(new Set(looks).size).toBe(looks.length);
        expect(looks.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count + 1)));
      }),
    );
  });

  test("walks round places that say nothing, and never leaves the first bad one out", async () => {
    const line = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        first: fc.nat(count - 1),
        mute: fc.uniqueArray(fc.nat(count - 1)),
      }),
    );
    await fc.assert(
      fc.asyncProperty(line, async ({ count, first, mute }) => {
        const { suspects } = await bisectSearch(count, (place): Promise<Look> =>
          Promise.resolve(mute.includes(place) ? "skip" : place < first ? "good" : "bad"),
        );
        expect(suspects).toContain(first);
        // All but the last of the suspects are places that said nothing.
        expect(mute).toEqual(expect.arrayContaining(suspects.slice(0, -1)));
      }),
    );
  });
});
