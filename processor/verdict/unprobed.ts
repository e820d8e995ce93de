import type { RunContract } from "../../instrumentation/contract/contract.ts";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import type { ReasonCode } from "../../instrumentation/contract/reason-codes.ts";
import type { Reason } from "../../instrumentation/contract/verdict.ts";

/** What only a probe of ours, or a reference that our instrumentation keeps, could have shown. */
const PROBED: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  "missing_artifact_ref",
  "artifact_unreadable",
  "artifact_mismatch",
  "empty_output",
  "schema_mismatch",
  "evidence_path_missing",
  "expected_change_missing",
  "side_effect_unconfirmed",
  "state_transition_mismatch",
  "verification_failed",
]);

/**
 * In a run that another instrumentation recorded nobody looked for artifacts, and nobody told what a tool does to the
 * world: that nothing was seen is then no absence, and a tool that the contract does not describe no violation.
 */
export function unlessUnobserved(reason: Reason, evidence: RunEvidence, contract: RunContract | null): Reason {
  if (evidence.isUnprobed !== true || !isUnobserved(reason, evidence, contract)) return reason;
  return { ...reason, code: "evidence_incomplete", message: `not observed, so not known: ${reason.message}` };
}

function isUnobserved(reason: Reason, evidence: RunEvidence, contract: RunContract | null): boolean {
  if (PROBED.has(reason.code)) return true;
  switch (reason.code) {
    case "required_content_missing":
      return (evidence.closing?.answer ?? null) === null;
    case "claim_unresolved":
      return contract?.claims?.some((claim) => claim.artifact !== undefined) === true;
    case "side_effect_unexpected":
      return hasUndeclaredClass(reason, evidence, contract);
    case "forbidden_mutation":
      return reason.clause === "/mutations/forbiddenClasses" && hasUndeclaredClass(reason, evidence, contract);
    default:
      return false;
  }
}

function hasUndeclaredClass(reason: Reason, { toolCalls }: RunEvidence, contract: RunContract | null): boolean {
  const declared = contract?.tools?.sideEffects ?? {};
  const ids = new Set(reason.evidence.map(({ id }) => id));
  return toolCalls.some((call) => ids.has(call.spanId) && !Object.hasOwn(declared, call.name));
}
