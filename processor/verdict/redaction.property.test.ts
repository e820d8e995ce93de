import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactedAnswer } from "../../instrumentation/capture/redacted-answer.ts";
import { createRedactor } from "../../instrumentation/capture/redactor.ts";
import { PLANTED_SECRETS } from "../../instrumentation/capture/testing/planted-secrets.ts";
import { parseClosingEvidence } from "../../instrumentation/contract/closing-evidence.ts";
import { parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import {
  type ClosingEvidence,
  SIDE_EFFECT_CLASSES,
  type RunEvidence,
} from "../../instrumentation/contract/evidence.ts";
import { toJson, type JsonValue } from "../../instrumentation/json/json.ts";
import { artifact, closing, evidence, toolCall } from "../testing/evidence.ts";
import { judge } from "./judge.ts";

/**
 * Spec A9: redaction must not change any verdict, also of a contract that looks in the answer for a part of a secret.
 */
const redactor = createRedactor({ key: "test" });
const redacted = <Value>(value: Value): Value => redactor.json(toJson(value) ?? null) as unknown as Value;

const secret = fc.oneof(
  fc.constantFrom(...PLANTED_SECRETS.filter(({ text, raw }) => text === raw).map(({ raw }) => raw)),
  fc.constantFrom("jane.roe@example.com", "john+x@mail.example.org", "4111 1111 1111 1111", "192.168.1.77"),
);
/** None of them is part of a secret or of a pseudonym. */
const word = fc.constantFrom("the report", "done!", "Zürich", "1,200.50", "");
const text = fc.oneof(
  word,
  secret,
  fc.array(fc.oneof(word, secret), { maxLength: 4 }).map((parts) => parts.join(" ")),
);
/** Parts of secrets, of pseudonyms and of the text around them. */
const part = fc.constantFrom(" ", "4111", "1111 1", "@", "jane", "example.com", "7", ".", "redacted", ":", "d", "t 4");
const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom("send", "book") }, { weight: 1, arbitrary: secret });

/** Few values, so that contract and evidence often meet; names under which a value is a secret are among them. */
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  text,
  fc.constantFrom<JsonValue>(0, 1, 4111111111111111, true, null, []),
  fc.dictionary(fc.constantFrom("to", "password", "authorization", "items", "jane.roe@example.com"), text, {
    maxKeys: 3,
  }),
  fc.array(text, { maxLength: 2 }),
);
const state = fc.constantFrom("present", "missing", "unreadable", "unchecked");

interface Scene {
  readonly contract: RunContract;
  readonly evidence: RunEvidence;
}

/** Every place of a scene draws from the same few values: only then do clauses hold at times. */
const scene: fc.Arbitrary<Scene> = fc
  .record({
    values: fc.array(value, { minLength: 2, maxLength: 3 }),
    texts: fc.array(text, { minLength: 2, maxLength: 3 }),
    names: fc.array(name, { minLength: 1, maxLength: 2 }),
  })
  .chain(({ values, texts, names }) => {
    const [anyValue, anyText, anyName] = [
      fc.constantFrom(...values),
      fc.constantFrom(...texts),
      fc.constantFrom(...names),
    ];
    const nonEmpty = anyText.map((one) => one || "Übrig");
    const rule = fc.record({
      contains: fc.oneof(nonEmpty, nonEmpty, part),
      ignoreCase: fc.boolean(),
      ignoreCharacters: fc.constantFrom("", "", "-.,", "xyz@"),
    });
    const usable = rule.filter(({ contains, ignoreCharacters }) =>
      Array.from(contains).some((one) => !ignoreCharacters.includes(one)),
    );
    const expected = fc.record({
      tool: anyName,
      arguments: fc.option(anyValue, { nil: undefined }),
      match: fc.constantFrom("exact", "subset"),
      ignore: fc.constantFrom([], ["/to"], ["/password"]),
      confirmedBy: fc.constantFrom("result", "reference", "probe"),
    });
    const contract = fc.record({
      agent: fc.constant("agent"),
      artifacts: fc.array(fc.record({ name: anyName }), { maxLength: 1 }),
      evidencePaths: fc.option(fc.record({ paths: fc.array(nonEmpty, { maxLength: 2 }) }), { nil: undefined }),
      tools: fc.option(fc.record({ allowed: fc.array(anyName) }), { nil: undefined }),
      mutations: fc.option(fc.record({ forbiddenTools: fc.array(anyName, { maxLength: 1 }) }), { nil: undefined }),
      sideEffects: fc.option(fc.record({ expected: fc.array(expected, { maxLength: 2 }) }), { nil: undefined }),
      state: fc.option(fc.record({ to: fc.array(anyValue, { minLength: 1, maxLength: 2 }) }), { nil: undefined }),
      answer: fc.option(
        fc.record({
          required: fc.array(usable, { maxLength: 2 }),
          forbidden: fc.array(usable, { maxLength: 1 }),
        }),
        { nil: undefined },
      ),
      limits: fc.constantFrom({ timeoutSeconds: 10 }, { timeoutSeconds: 10, maxRetries: 0 }),
    });
    const call = fc.record({
      name: anyName,
      arguments: anyValue,
      reference: fc.option(anyText),
      errorClass: fc.constantFrom(null, null, "timeout"),
      sideEffect: fc.constantFrom(...SIDE_EFFECT_CLASSES),
    });
    const observed = fc.record({
      artifacts: fc.array(fc.record({ name: anyName, ref: anyText, state }), { maxLength: 2 }),
      paths: fc.array(
        nonEmpty.map((path) => ({ path, exists: true, bytes: 1 })),
        { maxLength: 2 },
      ),
      state: fc.option(fc.record({ before: anyValue, after: anyValue })),
      answer: fc.option(fc.array(anyText, { maxLength: 3 }).map((parts) => parts.join(" and "))),
    });
    return fc.record({ contract, calls: fc.array(call, { maxLength: 3 }), observed }).map((parts): Scene => {
      const toolCalls = parts.calls.map((one, index) => toolCall({ ...one, spanId: `${index}` }));
      const artifacts = parts.observed.artifacts.map((one) => artifact(one));
      const seen = closing({ ...parts.observed, artifacts, toolCallCount: toolCalls.length });
      return { contract: parseContract(parts.contract), evidence: evidence({ toolCalls, closing: seen }) };
    });
  });

/** Redacted and read back as a collector reads it. */
function redactedClosing(whole: ClosingEvidence | null, contract: RunContract): ClosingEvidence | null {
  if (whole === null) return null;
  const kept = { ...redacted(whole), ...redactedAnswer(whole.answer, contract.answer, redactor) };
  return parseClosingEvidence(JSON.stringify(kept));
}

/** As the instrumentation redacts: the contract whole, of the evidence every part that comes from the outside. */
const redactedScene = ({ contract, evidence: given }: Scene): Scene => ({
  contract: parseContract(redacted(contract)),
  evidence: {
    ...given,
    toolCalls: given.toolCalls.map((call) => ({
      ...call,
      name: redactor.text(call.name),
      arguments: redacted(call.arguments),
      reference: call.reference === null ? null : redactor.text(call.reference),
    })),
    closing: redactedClosing(given.closing, contract),
  },
});

/** Of the verdicts before and after redaction, which must be the same. */
function expectSameVerdict(given: Scene): string {
  const raw = judge(given.evidence, given.contract);
  const kept = redactedScene(given);
  const verdict = judge(kept.evidence, kept.contract);
  expect(verdict.status).toBe(raw.status);
  expect(verdict.reasons.map((reason) => reason.code)).toEqual(raw.reasons.map((reason) => reason.code));
  return raw.status;
}

const RUNS = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 200_000 : 4_000;

describe("redaction", () => {
  it("changes neither the status of a verdict nor its reason codes", () => {
    const statuses = new Map<string, number>();
    const property = fc.property(scene, (given) => {
      const status = expectSameVerdict(given);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    fc.assert(property, { numRuns: RUNS });
    // A property over scenes that all fail would prove nothing.
    expect(statuses.get("passed")).toBeGreaterThan(20);
    expect(statuses.get("failed")).toBeGreaterThan(20);
  }, 3_600_000);

  it.each([
    ["a blank inside a card number", "4111 1111 1111 1111", " "],
    ["the last digits of a card", "paid with 4111 1111 1111 1111", "1111"],
    ["what ends inside an address", "write to jane.roe@example.com", "to jane"],
    ["the sign of an address", "write to jane.roe@example.com", "@"],
    ["the whole address", "write to jane.roe@example.com", "jane.roe@example.com"],
    ["what only the pseudonym has", "write to jane.roe@example.com", "redacted"],
  ])("keeps what a contract finds: %s", (_name, answer, contains) => {
    for (const clause of ["required", "forbidden"]) {
      const contract = parseContract({
        agent: "agent",
        limits: { timeoutSeconds: 10 },
        answer: { [clause]: [{ contains }] },
      });
      const status = expectSameVerdict({ contract, evidence: evidence({ closing: closing({ answer }) }) });
      expect(status === "failed").toBe(answer.includes(contains) !== (clause === "required"));
    }
  });

  it("writes down what was found and nothing of the text", () => {
    const rule = { contains: "1111", ignoreCase: true, ignoreCharacters: "" };
    const clause = { required: [rule, { ...rule, contains: "paid" }], forbidden: [] };
    const kept = redactedAnswer("paid with 4111 1111 1111 1111", clause, redactor);
    expect(kept.answerMatches).toEqual([{ rule, holds: true }]);
    expect(kept.answer).not.toContain("1111");
    expect(redactedAnswer("paid", clause, redactor)).toEqual({ answer: "paid" });
  });
});
