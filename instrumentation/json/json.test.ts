import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, hashJson, sha256Hex } from "./canonical.ts";
import { jsonDifferences } from "./differences.ts";
import { MAX_JSON_DEPTH, nestsDeeperThan, parseJson, toJson, type JsonValue } from "./json.ts";
import { childPointer, cutPointers, pointerSteps, valuesAt } from "./pointer.ts";

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;

describe("parseJson()", () => {
  it("refuses five million levels at once", () => {
    for (const open of ["[", '{"a":']) {
      const began = performance.now();
      expect(parseJson(open.repeat(5_000_000))).toBeUndefined();
      expect(performance.now() - began).toBeLessThan(20_000);
    }
  });

  it("takes the deepest allowed document and refuses the next", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(nested(MAX_JSON_DEPTH))).toBeDefined();
    expect(parseJson(nested(MAX_JSON_DEPTH + 1))).toBeUndefined();
  });

  it("does not count brackets inside strings", () => {
    expect(parseJson(JSON.stringify("[".repeat(1_000)))).toBe("[".repeat(1_000));
    expect(parseJson(JSON.stringify(['\\"[[[', "\\"]), 1)).toEqual(['\\"[[[', "\\"]);
    expect(nestsDeeperThan('["\\\\",[', 1)).toBe(true);
  });

  it("gives undefined for what is no JSON, and agrees with JSON.parse on everything else", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    for (const text of ["", "{", "undefined", "NaN", "'a'", "[1,]"]) expect(parseJson(text)).toBeUndefined();
  });

  it("leaves __proto__ an ordinary key", () => {
    const parsed = parseJson('{"__proto__":{"polluted":true}}');
    expect(Object.keys(parsed as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("toJson()", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ["nothing", undefined, null],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["an undefined member", { a: undefined, b: 1 }, { b: 1 }],
    ["a function", () => 1, undefined],
    ["a symbol", Symbol("s"), undefined],
    ["a big integer", 1n, undefined],
    ["a cycle", cycle, undefined],
    ["a throwing toJSON()", { toJSON: () => expect.fail("thrown") }, undefined],
    ["a map, whose content JSON would lose", { m: new Map([["a", 1]]) }, undefined],
    ["a set, whose content JSON would lose", [new Set([1])], undefined],
    ["an error, whose content JSON would lose", { e: new Error("x") }, undefined],
  ])("makes JSON of %s, or undefined where that would be a guess", (_, value, expected) => {
    expect(toJson(value)).toEqual(expected);
  });

  it("gives undefined for what nests too deep for the stack", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(toJson(deep)).toBeUndefined();
  });
});

describe("canonicalJson()", () => {
  it("writes the examples of RFC 8785", () => {
    expect(
      canonicalJson({
        "€": "Euro Sign",
        "\r": "Carriage Return",
        דּ: "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "😀": "Emoji: Grinning Face",
        "\u0080": "Control",
        ö: "Latin Small Letter O With Diaeresis",
      }),
    ).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","דּ":"Hebrew Letter Dalet With Dagesh"}',
    );
    const numbers = [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0];
    expect(canonicalJson({ numbers, string: '€$\u000f\nA\'B"\\\\"/', literals: [null, true, false] })).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("is JSON of the same value, whatever order the keys had", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text) as JsonValue)).toBe(text);
        expect(jsonDifferences(value, JSON.parse(text) as JsonValue)).toEqual([]);
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });

  it("is what hashes are made of", () => {
    expect(hashJson({ b: 1, a: 2 })).toBe(sha256Hex('{"a":2,"b":1}'));
    expect(sha256Hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

describe("jsonDifferences()", () => {
  it("finds nothing between equal values, and something between others; each place is told", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(jsonDifferences(a, reversed(a))).toEqual([]);
        expect(jsonDifferences(a, b).length === 0).toBe(canonicalJson(a) === canonicalJson(b));
        for (const { pointer, expected } of jsonDifferences(a, b))
          expect(at(a, pointerSteps(pointer))).toEqual(expected);
      }),
    );
  });

  it("lets a subset leave out members at any depth, but no item of a list", () => {
    expect(jsonDifferences({ a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, "subset")).toEqual([]);
    expect(jsonDifferences([1], [1, 2], "subset")).toEqual([{ pointer: "/1", expected: undefined, actual: 2 }]);
    expect(jsonDifferences({ a: 1 }, {}, "subset")).toEqual([{ pointer: "/a", expected: 1, actual: undefined }]);
  });

  it("is not led astray by inherited names", () => {
    expect(jsonDifferences({ constructor: 1 }, {})).toEqual([
      { pointer: "/constructor", expected: 1, actual: undefined },
    ]);
    expect(jsonDifferences(JSON.parse('{"__proto__":1}') as JsonValue, {})).toHaveLength(1);
  });
});

describe("JSON pointers", () => {
  it("survive being written and read, whatever the keys hold", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (steps) => {
        expect(pointerSteps(steps.reduce((pointer, step) => childPointer(pointer, step), ""))).toEqual(steps);
      }),
    );
    expect(pointerSteps("/a~1b/m~0n/~01")).toEqual(["a/b", "m~n", "~1"]);
  });
});

describe("valuesAt()", () => {
  const value: JsonValue = { a: [{ id: 1 }, { x: 2 }, { id: null }], "c/d": "e", b: {} };

  it("finds what a pointer names, with a star all of them, in document order", () => {
    expect(valuesAt(value, "/a/*/id")).toEqual([1, null]);
    expect(valuesAt(value, "/c~1d")).toEqual(["e"]);
    expect(valuesAt(value, "/*/0/id")).toEqual([1]);
    expect(valuesAt(value, "")).toEqual([value]);
    expect(valuesAt(value, "/nowhere/*")).toEqual([]);
    expect(valuesAt("text", "/0")).toEqual([]);
  });

  it("finds own members only", () => {
    for (const pointer of ["/constructor", "/__proto__", "/a/length", "/b/toString"]) {
      expect(valuesAt(value, pointer)).toEqual([]);
    }
    expect(valuesAt(JSON.parse('{"__proto__":{"x":1}}') as JsonValue, "/__proto__/x")).toEqual([1]);
  });
});

describe("cutPointers()", () => {
  it("cuts what the pointers name: members go, items leave an empty place", () => {
    const value = { a: [{ id: 1, x: 2 }, { id: 3 }], b: { id: 4 }, "c/d": 5 };
    expect(cutPointers(value, ["/a/*/id", "/c~1d"])).toEqual({ a: [{ x: 2 }, {}], b: { id: 4 } });
    expect(cutPointers(value, ["/a/0"])).toEqual({ ...value, a: [null, { id: 3 }] });
    expect(cutPointers(value, ["/*/id"])).toEqual({ ...value, b: {} });
    expect(cutPointers(value, [""])).toBeNull();
    expect(cutPointers(value, ["/nowhere/0", "/b/id/deeper"])).toEqual(value);
  });

  it("cuts once and for all, leaves the original alone and the rest as it was", () => {
    fc.assert(
      fc.property(json, fc.array(fc.string({ maxLength: 2 }), { minLength: 1, maxLength: 3 }), (value, steps) => {
        const pointer = steps.reduce((path, step) => childPointer(path, step), "");
        const before = canonicalJson(value);
        const cut = cutPointers(value, [pointer]);
        expect(canonicalJson(value)).toBe(before);
        expect(cutPointers(cut, [pointer])).toEqual(cut);
        for (const difference of jsonDifferences(value, cut)) {
          const place = pointerSteps(difference.pointer);
          expect(steps.every((step, i) => place[i] === undefined || step === "*" || step === place[i])).toBe(true);
        }
      }),
    );
  });
});

function reversed(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member as JsonValue)]),
  );
}

function at(value: JsonValue | undefined, steps: readonly string[]): JsonValue | undefined {
  return steps.reduce<JsonValue | undefined>(
    (inside, step) =>
      typeof inside === "object" && inside !== null && Object.hasOwn(inside, step)
        ? (inside as Record<string, JsonValue>)[step]
        : undefined,
    value,
  );
}
