import type { ExpectedSideEffect, RunContract } from "../../../instrumentation/contract/contract.ts";
import type { RunEvidence, ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { ReasonCode } from "../../../instrumentation/contract/reason-codes.ts";
import type { Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import { assignCalls } from "../side-effect-assignment.ts";
import { distinctEffects } from "../distinct-effects.ts";
import { recordedToolCalls } from "../recorded-tool-calls.ts";
import { callDifferences, isUndecidable } from "../side-effect-match.ts";
import { NOTHING_FOUND, type Findings, type Validator } from "../validator.ts";

/** Each expected side effect happened, as often as agreed, confirmed; and, unless allowed, no other one did. */
export const sideEffects: Validator = {
  name: "side-effects",
  validate(evidence, contract) {
    const clause = contract.sideEffects;
    if (clause === undefined) return NOTHING_FOUND;
    const candidates = distinctEffects(
      clause.expected,
      evidence.toolCalls.filter((call) => isCandidate(call, clause.expected)),
    );
    const assigned = assignCalls(clause.expected, candidates);
    const undecidable = assigned.unmatched.filter((call) => clause.expected.some((one) => isUndecidable(one, call)));
    if (undecidable.length > 0) return { reasons: undecidable.map(unreadable), proofs: [] };
    const beyond = clause.others === "forbid" ? assigned.unmatched.map(unexpected) : [];
    if (evidence.closing === null) return { reasons: beyond, proofs: [] };
    const found = clause.expected.map((expected, index) =>
      checkExpected({
        expected,
        clause: `/sideEffects/expected/${index}`,
        calls: assigned.byExpectation[index] ?? [],
        evidence,
      }),
    );
    const proofs = [...found.flatMap((one) => one.proofs), ...ledgerProof(evidence, contract)];
    return { reasons: [...beyond, ...found.flatMap((one) => one.reasons)], proofs };
  },
};

/** A failed call changed nothing; a read counts only where the contract names it. */
const isCandidate = (call: ToolCallEvidence, expected: readonly ExpectedSideEffect[]): boolean =>
  call.errorClass === null && (call.sideEffect !== "read" || expected.some((one) => one.tool === call.name));

interface Check {
  readonly expected: ExpectedSideEffect;
  readonly clause: string;
  readonly calls: readonly ToolCallEvidence[];
  readonly evidence: RunEvidence;
}

function checkExpected({ expected, clause, calls, evidence }: Check): Findings {
  const wanted = "exactly" in expected.times ? expected.times.exactly : expected.times.atLeast;
  const reasons: Reason[] = [];
  if (calls.length < wanted) reasons.push(missing(expected, clause, calls.length, evidence));
  if ("exactly" in expected.times && calls.length > wanted) {
    reasons.push(
      reason(
        "side_effect_repeated",
        clause,
        calls,
        told(expected.tool, `happened ${calls.length} times, not ${wanted}`),
      ),
    );
  }
  const unconfirmed = calls.filter((call) => !isConfirmed(call, expected, evidence));
  if (unconfirmed.length > 0) {
    const text = expected.confirmedBy === "probe" ? "has no artifact that confirms it" : "gave no durable reference";
    reasons.push(reason("side_effect_unconfirmed", clause, unconfirmed, told(expected.tool, text)));
  }
  const proofs = calls
    .filter((call) => !unconfirmed.includes(call))
    .map((call): Proof => ({ clause, evidence: [{ kind: "tool_call", id: call.spanId }], observed: observed(call) }));
  return { reasons, proofs };
}

function isConfirmed(call: ToolCallEvidence, expected: ExpectedSideEffect, evidence: RunEvidence): boolean {
  if (expected.confirmedBy === "result") return true;
  if (call.reference === null || call.reference === "") return false;
  if (expected.confirmedBy === "reference") return true;
  return (evidence.closing?.artifacts ?? []).some(
    (artifact) => artifact.state === "present" && artifact.ref === call.reference,
  );
}

/** Says which call came nearest and where it differs: the first thing a person wants to know. */
function missing(expected: ExpectedSideEffect, clause: string, count: number, evidence: RunEvidence): Reason {
  const same = evidence.toolCalls.filter((call) => call.name === expected.tool);
  const scored = same.map((call) => ({ call, differences: callDifferences(expected, call) }));
  scored.sort((a, b) => a.differences.length - b.differences.length || (a.call.spanId < b.call.spanId ? -1 : 1));
  const nearest = scored.find((one) => one.differences.length > 0 || one.call.errorClass !== null);
  const calls = nearest === undefined ? [] : [nearest.call];
  const hint =
    nearest === undefined
      ? "it was never called"
      : nearest.call.errorClass !== null
        ? `the nearest call failed (${nearest.call.errorClass})`
        : `the nearest call differs at ${nearest.differences.slice(0, 3).join(", ")}`;
  const text = `is missing (${count} found): ${count > 0 && nearest === undefined ? "too few calls" : hint}`;
  return reason("side_effect_missing", clause, calls, told(expected.tool, text));
}

const unexpected = (call: ToolCallEvidence): Reason =>
  reason("side_effect_unexpected", "/sideEffects/others", [call], told(call.name, "is not one of the expected ones"));

const unreadable = (call: ToolCallEvidence): Reason =>
  reason(
    "evidence_incomplete",
    "/sideEffects",
    [call],
    told(call.name, "cannot be compared: its arguments were not captured"),
  );

const told = (tool: string, text: string): string => `the side effect of "${tool}" ${text}`;

const observed = (call: ToolCallEvidence): string =>
  `${call.name} succeeded${call.reference === null ? "" : ` reference=${call.reference}`}`;

/** With the complete list of calls at hand, "nothing else was changed" is itself an observation. */
function ledgerProof(evidence: RunEvidence, contract: RunContract): Proof[] {
  const made = evidence.closing?.toolCallCount;
  if (contract.sideEffects?.others !== "forbid" || made === undefined || recordedToolCalls(evidence) < made) return [];
  const mutating = evidence.toolCalls.filter((call) => call.errorClass === null && call.sideEffect !== "read").length;
  const text = `complete ledger of ${evidence.toolCalls.length} tool calls, ${mutating} of them with side effects`;
  return [{ clause: "/sideEffects/others", evidence: [{ kind: "run", id: evidence.runId }], observed: text }];
}

function reason(code: ReasonCode, clause: string, calls: readonly ToolCallEvidence[], message: string): Reason {
  const evidence = calls.map((call) => ({ kind: "tool_call" as const, id: call.spanId }));
  evidence.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { code, clause, evidence, message };
}
