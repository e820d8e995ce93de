/**
 * How far convergence is rolled out. Going back is setting the earlier stage: no stage keeps a state of its own, and what
 * a stage wrote is in the journal.
 *
 * | stage | writes local | writes cloud | drifted work executes |
 * | --- | --- | --- | --- |
 * | observe | no | no | yes, if authorised |
 * | local | yes | no | yes, if authorised |
 * | cloud | yes | yes | yes, if authorised |
 * | enforce | yes | yes | no |
 */
export const SCOPE_STAGES = ["observe", "local", "cloud", "enforce"] as const;
export type ScopeStage = (typeof SCOPE_STAGES)[number];

/** What reconciling can change. */
export type ScopeTarget = "local" | "cloud";

export const stageWrites = (stage: ScopeStage, target: ScopeTarget): boolean =>
  target === "local" ? stage !== "observe" : stage === "cloud" || stage === "enforce";

export const stageExecutesDrifted = (stage: ScopeStage): boolean => stage !== "enforce";

/** `reject` changes nothing and asks for a person. */
export const RECONCILE_POLICIES = ["runtime_to_local", "resolved_to_local", "resolved_to_cloud", "reject"] as const;
export type ReconcilePolicy = (typeof RECONCILE_POLICIES)[number];

export const targetOf = (policy: Exclude<ReconcilePolicy, "reject">): ScopeTarget =>
  policy === "resolved_to_cloud" ? "cloud" : "local";
