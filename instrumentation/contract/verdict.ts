import type { ReasonCode } from "./reason-codes.ts";

/** The answer to "is this run done?". Never inferred from a process exit or from the agent's words. */
export const VERDICT_STATUSES = ["passed", "failed", "blocked", "degraded", "skipped", "inconclusive"] as const;
export type VerdictStatus = (typeof VERDICT_STATUSES)[number];

/** The piece of evidence a reason or a proof looked at. */
export interface EvidenceRef {
  readonly kind: "artifact" | "path" | "tool_call" | "change" | "state" | "verification" | "answer" | "run";
  /** Name, path or span id within its kind. */
  readonly id: string;
}

/** One machine-readable reason: what is wrong, by which clause, seen where. */
export interface Reason {
  readonly code: ReasonCode;
  /** JSON pointer into the contract (`/artifacts/0`), or `''` for the run as a whole. */
  readonly clause: string;
  readonly evidence: readonly EvidenceRef[];
  /** For people. Nothing parses it. */
  readonly message: string;
}

/** Evidence that a validator re-read and found good; a `passed` verdict has at least one. */
export interface Proof {
  readonly clause: string;
  readonly evidence: readonly EvidenceRef[];
  /** What was observed: bytes and digest of a file, the reference of a side effect. */
  readonly observed: string;
}

export interface Verdict {
  readonly status: VerdictStatus;
  readonly reasons: readonly Reason[];
  readonly proofs: readonly Proof[];
  /** The kind of failure: code of the weightiest reason; `null` when the run passed. */
  readonly failureClass: ReasonCode | null;
  readonly failureReason: string | null;
}
