import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ContractError, contractSha256, defineContract, parseContract, type RunContractInput } from "./contract.ts";

const problemsOf = (value: unknown): readonly string[] => {
  try {
    parseContract(value);
  } catch (error) {
    if (error instanceof ContractError) return error.problems;
    throw error;
  }
  return expect.fail("it parsed");
};

const full: RunContractInput = {
  agent: "buyer",
  artifacts: [{ name: "report", kind: "json", path: "out.json", schema: { type: "object" } }],
  evidencePaths: { paths: ["a", "b"], atLeast: 1 },
  tools: { allowed: ["buy"], forbidden: ["sell"] },
  changes: { expected: ["src/**"], forbidden: ["*.lock"] },
  mutations: { forbiddenClasses: ["money"] },
  sideEffects: { expected: [{ tool: "buy", arguments: { b: [1, { c: null }], a: 1 }, ignore: ["/b/0"] }] },
  claims: [{ tool: "claim", artifact: "receipt:{id}", releases: [{ tool: "release", reason: "/why" }] }],
  navigation: {
    origins: ["https://shop.example:8443"],
    lease: { tool: "lease", release: { tool: "release" } },
    visits: [{ tool: "go", landed: "/visited/*" }],
  },
  state: { from: { s: 1 }, to: [{ s: 2 }] },
  verification: { command: ["true"] },
  limits: { maxRetries: 1 },
  answer: { required: [{ contains: "bought" }] },
};

describe("parseContract()", () => {
  it("names every problem at once, each with its path", () => {
    const problems = problemsOf({
      agent: "",
      artifacts: [{ name: "a" }, { name: 5, kind: "film" }],
      limits: { timeoutSeconds: 0, maxSteps: 1.5 },
      sideEffects: { expected: [{ tool: "x", ignore: ["no-slash"] }] },
      tols: {},
    });
    for (const place of [
      /^agent: /,
      /^artifacts\.1\.name: /,
      /^artifacts\.1\.kind: /,
      /^limits\.timeoutSeconds: /,
      /^limits\.maxSteps: /,
      /^sideEffects\.expected\.0\.ignore\.0: .*pointer/,
      /^contract: .*tols/,
    ]) {
      expect(problems).toContainEqual(expect.stringMatching(place));
    }
    expect(new ContractError(problems).message).toContain("limits.maxSteps");
  });

  it.each([
    ["the contract", { agent: "a", x: 1 }],
    ["an artifact", { agent: "a", artifacts: [{ name: "n", x: 1 }] }],
    [
      "a side effect's times",
      { agent: "a", sideEffects: { expected: [{ tool: "t", times: { exactly: 1, atLeast: 1 } }] } },
    ],
    ["a claim", { agent: "a", claims: [{ tool: "t", artifact: "{id}", item: "/id" }] }],
    [
      "a lease",
      {
        agent: "a",
        navigation: { lease: { tool: "t", release: { tool: "r" }, x: 1 }, visits: [{ tool: "g", asked: "" }] },
      },
    ],
    ["the limits", { agent: "a", limits: { timeoutSecond: 1 } }],
  ])("refuses unknown keys: %s", (_, value) => {
    expect(problemsOf(value).length).toBeGreaterThan(0);
  });

  const cycle: Record<string, unknown> = { agent: "a" };
  cycle["state"] = { to: [cycle] };
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "contract"],
    ["a list", []],
    ["a cycle", cycle],
    ["something nested too deep", { agent: "a", state: { to: [nested(100_000)] } }],
    ["a function among the arguments", { agent: "a", sideEffects: { expected: [{ tool: "t", arguments: () => 1 }] } }],
    ["a number that JSON has not", { agent: "a", state: { to: [Number.NaN] } }],
  ])("refuses what is no contract with nothing but a ContractError: %s", (_, value) => {
    expect(problemsOf(value).length).toBeGreaterThan(0);
  });

  it.each([
    ["a claim that nothing could end", { claims: [{ tool: "claim" }] }, /^claims\.0: nothing could end it/],
    ["an artifact of no item", { claims: [{ tool: "claim", artifact: "receipt" }] }, /^claims\.0\.artifact: .*\{id\}/],
    ["a visit to nowhere", { navigation: { visits: [{ tool: "go" }] } }, /^navigation\.visits\.0: names no URL/],
    [
      "a page as an origin",
      { navigation: { origins: ["https://a.example/x"], visits: [{ tool: "go", asked: "/u" }] } },
      /^navigation\.origins\.0: is no origin/,
    ],
    [
      "files as an origin",
      { navigation: { origins: ["file:"], visits: [{ tool: "go", asked: "/u" }] } },
      /^navigation\.origins\.0: is no origin/,
    ],
  ])("refuses %s", (_, clauses, problem) => {
    expect(problemsOf({ agent: "a", ...clauses })).toEqual([expect.stringMatching(problem)]);
  });

  it("refuses a text to look for of which nothing is left to compare", () => {
    const rule = { contains: ",.", ignoreCharacters: ".,;" };
    expect(problemsOf({ agent: "a", answer: { required: [rule] } })).toEqual([
      expect.stringMatching(/^answer\.required\.0: .*any answer would do/),
    ]);
  });

  it("fills in the defaults", () => {
    expect(parseContract({ agent: "a" })).toEqual({
      version: 1,
      agent: "a",
      artifacts: [],
      limits: { timeoutSeconds: 3_600 },
      allowSkip: false,
    });
    expect(parseContract({ agent: "a", sideEffects: { expected: [{ tool: "t" }] } }).sideEffects).toEqual({
      expected: [{ tool: "t", match: "exact", ignore: [], times: { exactly: 1 }, confirmedBy: "result" }],
      others: "forbid",
    });
    expect(parseContract({ agent: "a", limits: { maxSteps: 3 } }).limits).toEqual({
      maxSteps: 3,
      timeoutSeconds: 3_600,
    });
  });

  it("gives a copy that is frozen to its depth and leaves the original alone", () => {
    const original = structuredClone(full);
    const parsed = defineContract(original);
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(parsed)).toBe(true);
    expect(Object.isFrozen(original)).toBe(false);
    original.tools?.allowed?.push("steal");
    expect(parsed.tools?.allowed).toEqual(["buy"]);
  });
});

describe("contractSha256()", () => {
  const shuffled = (value: unknown, seed: number): unknown => {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, seed));
    if (typeof value !== "object" || value === null) return value;
    const keys = Object.keys(value).toSorted((a, b) => ((a.length * seed) % 7) - ((b.length * seed) % 7));
    return Object.fromEntries(keys.map((key) => [key, shuffled((value as Record<string, unknown>)[key], seed)]));
  };

  it("does not depend on the order of keys, and survives a round trip through JSON", () => {
    const hash = contractSha256(parseContract(full));
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const other = parseContract(shuffled(full, seed));
        expect(contractSha256(other)).toBe(hash);
        expect(contractSha256(parseContract(JSON.parse(JSON.stringify(other))))).toBe(hash);
      }),
    );
  });

  it("takes a member set to undefined for an absent one", () => {
    const sparse = { agent: "a", tools: { allowed: undefined, forbidden: ["x"] }, state: undefined };
    const parsed = parseContract(sparse);
    expect(contractSha256(parsed)).toBe(contractSha256(parseContract(JSON.parse(JSON.stringify(sparse)))));
    expect("state" in parsed).toBe(false);
  });

  it("tells contracts apart that differ in one value", () => {
    expect(contractSha256(parseContract({ agent: "a" }))).not.toBe(contractSha256(parseContract({ agent: "b" })));
  });
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}
