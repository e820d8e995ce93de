/**
 * Why a run did not simply pass. Codes are stable names that alerts, fixtures and dashboards refer to; a new one may
 * be added, none is renamed.
 *
 * The weight decides the status (see `processor/verdict/judge.ts`), strongest first:
 * - `violation`: the run did what it must not, or vanished. Nothing excuses it.
 * - `blocked`: a dependency was observed to be unavailable; it excuses work that is missing, not a violation.
 * - `absence`: work the contract asks for is missing or wrong.
 * - `unknown`: the evidence is not enough to say. Never green.
 * - `degraded`: done and proven, but outside the soft limits.
 */
export const REASON_WEIGHTS = {
  forbidden_mutation: "violation",
  side_effect_unexpected: "violation",
  side_effect_repeated: "violation",
  tool_not_allowed: "violation",
  forbidden_path: "violation",
  origin_not_leased: "violation",
  lease_not_released: "violation",
  unclaimed_item: "violation",
  claim_unresolved: "violation",
  forbidden_content: "violation",
  unrecorded_operation: "violation",
  run_abandoned: "violation",
  blocked_dependency: "blocked",
  missing_artifact_ref: "absence",
  artifact_unreadable: "absence",
  artifact_mismatch: "absence",
  empty_output: "absence",
  schema_mismatch: "absence",
  evidence_path_missing: "absence",
  expected_change_missing: "absence",
  side_effect_missing: "absence",
  side_effect_unconfirmed: "absence",
  release_unexplained: "absence",
  state_transition_mismatch: "absence",
  verification_failed: "absence",
  required_content_missing: "absence",
  timeout_exceeded: "absence",
  retries_exhausted: "absence",
  steps_exceeded: "absence",
  run_aborted: "absence",
  contract_missing: "unknown",
  evidence_incomplete: "unknown",
  no_proof: "unknown",
  validator_error: "unknown",
  retried: "degraded",
} as const;

export type ReasonCode = keyof typeof REASON_WEIGHTS;
export type ReasonWeight = (typeof REASON_WEIGHTS)[ReasonCode];

export const REASON_CODES = Object.keys(REASON_WEIGHTS) as readonly ReasonCode[];
