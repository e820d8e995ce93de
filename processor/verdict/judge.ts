import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { RunContract } from "../../instrumentation/contract/contract.ts";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { REASON_CODES, REASON_WEIGHTS, type ReasonWeight } from "../../instrumentation/contract/reason-codes.ts";
import type { Proof, Reason, Verdict, VerdictStatus } from "../../instrumentation/contract/verdict.ts";
import { unlessUnobserved } from "./unprobed.ts";
import type { Findings, Validator } from "./validator.ts";
import { completenessReasons } from "./validators/completeness.ts";
import { VALIDATORS } from "./validators/index.ts";
import { runEndFindings } from "./validators/run-end.ts";

/**
 * The one function that decides whether a run is done. Pure and total: any evidence gives a verdict, none makes it throw.
 *
 * The status follows from the weightiest reason: a violation fails the run; an observed dependency outage makes it
 * `blocked`; missing work fails it; thin evidence leaves it `inconclusive`. Without any reason it passes if, and only if,
 * some evidence was re-read and found good.
 */
export function judge(evidence: RunEvidence, contract: RunContract | null): Verdict {
  try {
    return decide(evidence, contract);
  } catch (error) {
    // Only evidence that breaks its own types gets here; what cannot be read proves nothing.
    return verdictOf({ reasons: [validatorError("judge", error)], proofs: [], skipped: false });
  }
}

function decide(evidence: RunEvidence, contract: RunContract | null): Verdict {
  const findings = contract === null ? [withoutContract(evidence)] : VALIDATORS.map((v) => run(v, evidence, contract));
  const found = findings.flatMap(({ reasons: all }) => all);
  const reasons = canonicalOrder(found.map((reason) => unlessUnobserved(reason, evidence, contract)));
  const proofs = canonicalOrder(findings.flatMap(({ proofs: all }) => all));
  return verdictOf({ reasons, proofs, skipped: contract !== null && isSkip(evidence, contract) });
}

function run(validator: Validator, evidence: RunEvidence, contract: RunContract): Findings {
  try {
    return validator.validate(evidence, contract);
  } catch (error) {
    return { reasons: [validatorError(validator.name, error)], proofs: [] };
  }
}

const validatorError = (name: string, error: unknown): Reason => ({
  code: "validator_error",
  clause: "",
  evidence: [],
  message: `${name} failed: ${error instanceof Error ? error.message : String(error)}`,
});

function withoutContract(evidence: RunEvidence): Findings {
  const missing: Reason = {
    code: "contract_missing",
    clause: "",
    evidence: [{ kind: "run", id: evidence.runId }],
    message: "the run carries no contract, so nothing says what done means",
  };
  return { reasons: [missing, ...runEndFindings(evidence).reasons, ...completenessReasons(evidence)], proofs: [] };
}

interface Folded {
  readonly reasons: readonly Reason[];
  readonly proofs: readonly Proof[];
  readonly skipped: boolean;
}

function verdictOf({ reasons, proofs, skipped }: Folded): Verdict {
  const weights = new Set(reasons.map((reason) => REASON_WEIGHTS[reason.code]));
  const status = statusOf(weights, proofs.length > 0, skipped);
  if (status === "passed" || status === "skipped") {
    return { status, reasons: [], proofs, failureClass: null, failureReason: null };
  }
  const told = reasons.length > 0 ? reasons : [NO_PROOF];
  const main = told[0] ?? NO_PROOF;
  return { status, reasons: told, proofs, failureClass: main.code, failureReason: main.message };
}

function statusOf(weights: ReadonlySet<ReasonWeight>, proven: boolean, skipped: boolean): VerdictStatus {
  if (weights.has("violation")) return "failed";
  if (weights.has("blocked")) return "blocked";
  // Missing work is what a permitted skip consists of; thin evidence is not.
  if (weights.has("absence") && !skipped) return "failed";
  if (weights.has("unknown")) return "inconclusive";
  if (skipped) return "skipped";
  if (weights.has("degraded")) return proven ? "degraded" : "inconclusive";
  return proven ? "passed" : "inconclusive";
}

const NO_PROOF: Reason = {
  code: "no_proof",
  clause: "",
  evidence: [],
  message:
    "nothing contradicts the run, but no evidence was re-read that proves it; add an artifact, a side effect, a state or a verification to the contract",
};

/** "There was nothing to do" counts only when the contract allows it and the complete record shows no change. */
function isSkip(evidence: RunEvidence, contract: RunContract): boolean {
  return (
    contract.allowSkip &&
    evidence.phase === "ended" &&
    evidence.closing?.claim?.outcome === "skipped" &&
    evidence.closing.error === null &&
    evidence.toolCalls.every((call) => call.sideEffect === "read" || call.errorClass !== null)
  );
}

/** Weightiest first, then by content: the same findings in any order give the same list, each once. */
function canonicalOrder<Item extends Reason | Proof>(items: readonly Item[]): Item[] {
  const unique = new Map(items.map((item) => [sortKey(item), item]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
}

function sortKey(item: Reason | Proof): string {
  const rank = "code" in item ? String(REASON_CODES.indexOf(item.code)).padStart(3, "0") : "";
  return `${rank} ${item.clause} ${canonicalJson(item as unknown as JsonValue)}`;
}
