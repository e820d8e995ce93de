import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { recorded } from "../testing/interactions.ts";
import { type FixtureContent, measure } from "./content.ts";
import { minimise } from "./minimise.ts";
import type { Oracle } from "./oracle.ts";
import { reduced } from "./reduction.ts";
import { elementsOf } from "./reductions-of.ts";

const RUNS = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 2_000 : 60;

const plain = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
/** JSON, and now and then JSON as text in JSON. */
const json = fc.oneof({ weight: 4, arbitrary: plain }, fc.record({ text: plain.map((it) => JSON.stringify(it)) }));
const path = fc.constantFrom("plan", "plan#0/search", "plan#1/search", "search", "plan#0/fetch#0/read");
const content: fc.Arbitrary<FixtureContent> = fc
  .record({ input: json, state: json, calls: fc.array(fc.tuple(path, json), { maxLength: 8 }) })
  .map(({ input, state, calls }) => {
    const seen = new Map<string, number>();
    const interactions = calls.map(([step, result], index) => {
      const ordinal = seen.get(step) ?? 0;
      seen.set(step, ordinal + 1);
      return { ...recorded(`${step}#${ordinal}`, {}, result), index };
    });
    return { input, state, interactions };
  });

const oracleOf = (fails: (candidate: FixtureContent) => boolean): Oracle => ({
  try: (candidate) => Promise.resolve(fails(candidate) ? { type: "same", settled: candidate } : { type: "other" }),
});

/** Any property of a content, however wild, that `start` has. */
const wild =
  (start: FixtureContent, seed: number, modulus: number) =>
  (candidate: FixtureContent): boolean => {
    const { sha256 } = measure(candidate);
    return sha256 === measure(start).sha256 || (Number.parseInt(sha256.slice(0, 8), 16) ^ seed) % modulus === 0;
  };

const singlesThatGo = (result: FixtureContent, fails: (candidate: FixtureContent) => boolean) =>
  elementsOf(result).filter((element) => {
    const candidate = reduced(result, [element]);
    return measure(candidate).bytes < measure(result).bytes && fails(candidate);
  });

describe("a minimised content", () => {
  test("still fails, is no larger, and no single element of it can go, whatever the failure depends on", async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.nat(), fc.integer({ min: 1, max: 5 }), async (start, seed, modulus) => {
        const fails = wild(start, seed, modulus);
        const result = await minimise({ oracle: oracleOf(fails), start });
        expect(result.isOneMinimal).toBe(true);
        expect(fails(result.content)).toBe(true);
        expect(result.bytes).toBeLessThanOrEqual(measure(start).bytes);
        expect(result.bytes).toBe(measure(result.content).bytes);
        expect(singlesThatGo(result.content, fails)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test("holds what the failure needs and nothing beside it", async () => {
    const marker = fc.constantFrom("needle-one", "needle-two");
    await fc.assert(
      fc.asyncProperty(content, fc.array(marker, { minLength: 1, maxLength: 3 }), async (around, markers) => {
        const start = {
          ...around,
          interactions: [
            ...around.interactions,
            ...markers.map((text, index) => ({
              ...recorded(`needed#${index}`, {}, { much: [around.input, { deep: text }], more: around.state }),
              index: around.interactions.length + index,
            })),
          ],
        };
        const fails = (candidate: FixtureContent): boolean => {
          const text = canonicalJson(candidate.interactions as never);
          return markers.every((it) => text.includes(it));
        };
        const { content: result } = await minimise({ oracle: oracleOf(fails), start });
        expect(result.interactions).toHaveLength(new Set(markers).size);
        expect(result.interactions.map((it) => it.path)).toEqual(result.interactions.map((_, i) => `needed#${i}`));
        for (const it of result.interactions) {
          expect(it).toMatchObject({
            outcome: "returned",
            result: { much: [{ deep: expect.stringMatching(/^needle/) }] },
          });
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("is the same one however far the oracle looks ahead", async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.nat(), fc.integer({ min: 1, max: 5 }), async (start, seed, modulus) => {
        const oracle = { ...oracleOf(wild(start, seed, modulus)), hint: () => {} };
        const [alone, ahead] = [await minimise({ oracle, start }), await minimise({ oracle, start, lookAhead: 3 })];
        expect(ahead).toEqual(alone);
      }),
      { numRuns: RUNS },
    );
  });

  test("is the best so far when the search is stopped, and is not called minimal", async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.nat(), fc.nat({ max: 20 }), async (start, seed, allowed) => {
        const fails = wild(start, seed, 2);
        let asked = 0;
        const oracle: Oracle = {
          try: (candidate) =>
            asked++ < allowed ? oracleOf(fails).try(candidate) : Promise.resolve({ type: "stopped" }),
        };
        const result = await minimise({ oracle, start });
        expect(fails(result.content)).toBe(true);
        expect(result.isOneMinimal).toBe(asked <= allowed);
        expect(result.tries).toBeLessThanOrEqual(allowed);
      }),
      { numRuns: RUNS },
    );
  });
});
