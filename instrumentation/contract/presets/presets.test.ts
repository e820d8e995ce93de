import { describe, expect, test } from "vitest";
import { contractSha256, ContractError, parseContract, type RunContract } from "../contract.ts";
import { browserContract } from "./browser.ts";
import { codingContract } from "./coding.ts";
import { queueWorkerContract } from "./queue-worker.ts";
import { researchContract } from "./research.ts";
import { revenueContract } from "./revenue.ts";

const PRESETS: readonly (readonly [string, () => RunContract])[] = [
  ["research", () => researchContract({ report: { path: "out/report.md" } })],
  ["coding", () => codingContract({ changes: ["src/**"], verification: { command: ["node", "--test"] } })],
  ["browser", () => browserContract({ lease: {} })],
  ["queue-worker", () => queueWorkerContract({ claim: {}, release: {} })],
  ["revenue", () => revenueContract({ effects: [{ tool: "charge", arguments: { invoice: "i-1" } }] })],
];

const problemsOf = (build: () => unknown): readonly string[] => {
  try {
    build();
  } catch (error) {
    if (error instanceof ContractError) return error.problems;
    throw error;
  }
  return expect.fail("it was taken");
};

describe.each(PRESETS)("the preset for %s", (name, build) => {
  test("gives a frozen contract that travels as JSON with the same hash", () => {
    const contract = build();
    const travelled = parseContract(JSON.parse(JSON.stringify(contract)));
    expect(contract.agent).toBe(name);
    expect(Object.isFrozen(contract)).toBe(true);
    expect(contractSha256(travelled)).toBe(contractSha256(contract));
  });
});

describe("the options of a preset", () => {
  test("name the agent, its tools and its limits", () => {
    const contract = revenueContract({ agent: "billing", tools: ["charge"], limits: { maxSteps: 5 }, effects: [] });
    expect(contract).toMatchObject({
      agent: "billing",
      tools: { allowed: ["charge"] },
      limits: { maxSteps: 5, timeoutSeconds: 3_600 },
    });
    const read = researchContract({ report: { path: "r" }, toolSideEffects: { search: "read" } });
    expect(read.tools).toEqual({ sideEffects: { search: "read" } });
  });

  test("are refused all at once, unknown ones too", () => {
    const problems = problemsOf(() =>
      queueWorkerContract({ claim: { ids: "item" }, artifact: "", realease: {}, writes: [1] } as never),
    );
    for (const place of [/^claim\.ids: .*pointer/, /^artifact: /, /^writes\.0: /, /realease/]) {
      expect(problems).toContainEqual(expect.stringMatching(place));
    }
  });

  test("are bounded", () => {
    const long = "x".repeat(10_001);
    const many = Array.from({ length: 1_001 }, (_, index) => `p${index}`);
    expect(problemsOf(() => researchContract({ report: { path: long } }))).toHaveLength(1);
    expect(problemsOf(() => researchContract({ report: { path: "r" }, evidence: { paths: many } }))).toHaveLength(1);
    expect(problemsOf(() => codingContract({ changes: many, verification: { command: ["x"] } }))).toHaveLength(1);
    expect(problemsOf(() => browserContract({ lease: {}, origins: ["https://a.example/path"] }))).toHaveLength(1);
    expect(problemsOf(() => queueWorkerContract({ claim: {}, artifact: "receipt" }))).toHaveLength(1);
    expect(
      problemsOf(() => revenueContract({ effects: Array.from({ length: 1_001 }, () => ({ tool: "t" })) })),
    ).toHaveLength(1);
    expect(problemsOf(() => revenueContract(undefined as never))).toHaveLength(1);
  });

  test("make a report with a schema JSON, and a report without one text", () => {
    const schema = { type: "object" };
    expect(researchContract({ report: { path: "r.json", schema } }).artifacts).toMatchObject([
      { kind: "json", schema },
    ]);
    expect(researchContract({ report: { path: "r.md" } }).artifacts).toMatchObject([{ kind: "report" }]);
  });

  test("ask for each effect on money once, by its reference, and for no other", () => {
    const { sideEffects } = revenueContract({ effects: [{ tool: "charge" }, { tool: "refund", times: 2 }] });
    const once = { ignore: ["/idempotencyKey"], confirmedBy: "reference", countBy: "reference" };
    expect(sideEffects).toMatchObject({
      expected: [
        { ...once, tool: "charge", times: { exactly: 1 } },
        { ...once, tool: "refund", times: { exactly: 2 } },
      ],
      others: "forbid",
    });
  });

  test("run the verification of a coding run where the work tree is", () => {
    const verification = { command: ["node", "--test"] };
    expect(codingContract({ changes: ["a"], workspace: "repo", verification })).toMatchObject({
      changes: { workspace: "repo" },
      verification: { cwd: "repo" },
    });
  });
});
