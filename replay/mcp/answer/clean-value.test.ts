import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bounds, cleanValue } from "./clean-value.ts";

const BOUNDS: Bounds = { maxText: 10, maxItems: 3, maxDepth: 4, maxTotal: 1_000 };
const clean = (value: unknown, bounds: Partial<Bounds> = {}) => cleanValue(value, { ...BOUNDS, ...bounds });

describe("cleanValue", () => {
  test("gives a small value as it is", () => {
    const value = { a: [true, null, "text"], b: { c: "" }, d: 1.5 };
    expect(clean(value)).toEqual({ value, cut: 0 });
  });

  test("cuts long texts, lists, objects and depth, and says so where it is", () => {
    expect(clean("x".repeat(25))).toEqual({ value: "xxxxxxxxxx[cut: 15 of 25 characters]", cut: 1 });
    expect(clean([1, 2, 3, 4, 5])).toEqual({ value: [1, 2, 3, "[cut: 2 of 5 items]"], cut: 1 });
    expect(clean({ a: 1, b: 2, c: 3, d: 4 })).toEqual({
      value: { a: 1, b: 2, c: 3, "[cut]": "1 of 4 fields" },
      cut: 1,
    });
    expect(clean([[[[["deep"]]]]])).toEqual({ value: [[[["[cut: too deep]"]]]], cut: 1 });
  });

  test("spends no more than the bound on all texts together", () => {
    const { value, cut } = clean(["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"], { maxTotal: 15 });
    expect(value).toEqual(["aaaaaaaaaa", "bbbbb[cut: 5 of 10 characters]", "[cut: 1 of 3 items]"]);
    expect(cut).toBe(2);
  });

  test("cleans names as it cleans texts, and makes no prototype of one", () => {
    const { value } = clean(JSON.parse('{"a\\u001b[31mb": 1, "__proto__": {"isAdmin": true}}'));
    expect(Object.keys(value as object)).toEqual(["ab", "__proto__"]);
    expect((value as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  test("keeps every value within its bounds, whatever it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (json) => {
        const { value } = clean(json, { maxTotal: 200 });
        const text = JSON.stringify(value);
        // Texts up to the bound, and what marks, numbers and punctuation take for each item that had room.
        expect(text.length).toBeLessThan(200 * 6 + 8_000);
      }),
    );
  });

  test("leaves nothing invisible anywhere in a value", () => {
    const hidden = fc.string({ unit: fc.constantFrom("a", "\u001b[0m", "\u200b", "\u202e", "\u{e0041}", "\u0000") });
    fc.assert(
      fc.property(fc.dictionary(hidden, fc.array(hidden)), (json) => {
        const text = JSON.stringify(clean(json).value);
        // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(text).not.toMatch(/[\u0000\u001b\u200b\u202e\u{e0041}]|\\u00/u);
      }),
    );
  });
});
