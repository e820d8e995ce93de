import type { ScopeAuthorization } from "./authorize-scope.ts";
import type { ScopeResolution } from "./resolve-scope.ts";
import type { DriftFinding } from "./scope-drift.ts";
import type { ScopeSnapshot } from "./scope-source.ts";
import type { ScopeStage } from "./scope-stage.ts";

/** Whether the sources agree; it says nothing about permission. */
export type ScopeState = "SYNCED" | "DRIFTED";

/** What one look at the sources came to. */
export interface ScopeStatus {
  readonly state: ScopeState;
  /** Whether the resolved scope may be used for the operation that was asked about; it says nothing about agreement. */
  readonly authorized: boolean;
  readonly authorization: ScopeAuthorization;
  /** `null` when nothing could be resolved. */
  readonly scope: string | null;
  readonly resolution: ScopeResolution;
  readonly snapshot: ScopeSnapshot;
  /** Every mismatch, the worst first. */
  readonly findings: readonly DriftFinding[];
  readonly stage: ScopeStage;
  /** Milliseconds since the epoch. */
  readonly checkedAt: number;
}

/** The same with a finding that is worse than the others. */
export const withFinding = (status: ScopeStatus, worst: DriftFinding): ScopeStatus => ({
  ...status,
  state: "DRIFTED",
  findings: [worst, ...status.findings],
});
