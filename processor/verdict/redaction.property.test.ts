import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../instrumentation/capture/redactor.ts";
import { PLANTED_SECRETS } from "../../instrumentation/capture/testing/planted-secrets.ts";
import { parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import { SIDE_EFFECT_CLASSES, type RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { toJson, type JsonValue } from "../../instrumentation/json/json.ts";
import { artifact, closing, evidence, toolCall } from "../testing/evidence.ts";
import { judge } from "./judge.ts";

/**
 * Spec A9: redaction must not change any verdict. What the redactor documents as its limit is left out: a contract that
 * names part of a secret, or a secret that only the words before it give away.
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
          required: fc.array(fc.record({ contains: nonEmpty, ignoreCase: fc.boolean() }), { maxLength: 2 }),
          forbidden: fc.array(fc.record({ contains: nonEmpty }), { maxLength: 1 }),
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
    closing: redacted(given.closing),
  },
});

describe("redaction", () => {
  it("changes neither the status of a verdict nor its reason codes", () => {
    const statuses = new Map<string, number>();
    fc.assert(
      fc.property(scene, (given) => {
        const raw = judge(given.evidence, given.contract);
        const kept = redactedScene(given);
        const verdict = judge(kept.evidence, kept.contract);
        expect(verdict.status).toBe(raw.status);
        expect(verdict.reasons.map((reason) => reason.code)).toEqual(raw.reasons.map((reason) => reason.code));
        statuses.set(raw.status, (statuses.get(raw.status) ?? 0) + 1);
      }),
      { numRuns: 4_000 },
    );
    // A property over scenes that all fail would prove nothing.
    expect(statuses.get("passed")).toBeGreaterThan(20);
    expect(statuses.get("failed")).toBeGreaterThan(20);
  });
});
