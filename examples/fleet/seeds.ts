import type { ReasonCode } from "../../instrumentation/index.ts";

/** One silent failure that is planted in the fleet: the run ends normally, its answer reads well, its work is not done. */
export interface Seed {
  /** Part of the task, so that a replay has the same failure. */
  readonly name: string;
  readonly agent: string;
  /** What the run must be found to have. No two seeds share agent and class: each is an alert of its own. */
  readonly failureClass: ReasonCode;
}

export const SEEDS: readonly Seed[] = [
  { name: "report_missing", agent: "research-agent", failureClass: "missing_artifact_ref" },
  { name: "report_empty", agent: "research-agent", failureClass: "empty_output" },
  { name: "notes_empty", agent: "research-agent", failureClass: "evidence_path_missing" },
  { name: "sources_as_text", agent: "research-agent", failureClass: "schema_mismatch" },
  { name: "fence_in_code", agent: "coding-agent", failureClass: "verification_failed" },
  { name: "code_empty", agent: "coding-agent", failureClass: "empty_output" },
  { name: "item_dropped", agent: "queue-worker", failureClass: "claim_unresolved" },
  { name: "wrong_item", agent: "queue-worker", failureClass: "unclaimed_item" },
  { name: "released_without_reason", agent: "queue-worker", failureClass: "release_unexplained" },
  { name: "double_charge", agent: "revenue-agent", failureClass: "side_effect_repeated" },
  { name: "refund_unconfirmed", agent: "revenue-agent", failureClass: "side_effect_unconfirmed" },
  { name: "extra_credit", agent: "revenue-agent", failureClass: "side_effect_unexpected" },
  { name: "amount_misread", agent: "ledger-agent", failureClass: "schema_mismatch" },
  { name: "stale_rates", agent: "pricing-agent", failureClass: "retries_exhausted" },
  { name: "price_missing", agent: "pricing-agent", failureClass: "schema_mismatch" },
  { name: "outage_as_success", agent: "dispatch-agent", failureClass: "side_effect_missing" },
  { name: "outage_as_bad_parcel", agent: "dispatch-agent", failureClass: "side_effect_unexpected" },
  { name: "alert_resolved", agent: "oncall-agent", failureClass: "side_effect_unexpected" },
  { name: "alert_storm", agent: "oncall-agent", failureClass: "side_effect_repeated" },
  { name: "alert_lost", agent: "oncall-agent", failureClass: "side_effect_missing" },
];
