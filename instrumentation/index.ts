export { instrumentHttp, type InstrumentHttpOptions } from "./auto/http/instrument-http.ts";
export {
  defineContract,
  parseContract,
  ContractError,
  type RunContract,
  type RunContractInput,
} from "./contract/contract.ts";
export { browserContract, type BrowserContractOptions } from "./contract/presets/browser.ts";
export { codingContract, type CodingContractOptions } from "./contract/presets/coding.ts";
export { queueWorkerContract, type QueueWorkerContractOptions } from "./contract/presets/queue-worker.ts";
export { researchContract, type ResearchContractOptions } from "./contract/presets/research.ts";
export { revenueContract, type RevenueContractOptions } from "./contract/presets/revenue.ts";
export type { ReasonCode } from "./contract/reason-codes.ts";
export type { RunRecord, RunStatus, RunType } from "./contract/run-record.ts";
export type { EvidenceRef, Proof, Reason, Verdict, VerdictStatus } from "./contract/verdict.ts";
export type { SideEffectClass } from "./contract/evidence.ts";
export type { JsonValue } from "./json/json.ts";
export type { RunproofOptions } from "./options.ts";
export type { ClosedRun, Run, StateReader } from "./run/active-run.ts";
export { closeRun, type CloseOutcome } from "./run/close-run.ts";
export { recordArtifact, type ArtifactInput, type ProbeResult } from "./run/record-artifact.ts";
export { recordEvent } from "./run/record-event.ts";
export { startRun, type StartRunOptions } from "./run/start-run.ts";
export { runInContext, withRun, type WithRunOptions } from "./run/with-run.ts";
export { wrapModel, wrapTool, type ModelSpec, type ToolCallOptions, type ToolSpec } from "./run/wrap-tool.ts";
export { configure } from "./runtime.ts";
export type { AuthorizeScope, ScopePermission, ScopeRequest } from "./scope/authorize-scope.ts";
export type { EmitDrift } from "./scope/drift-reporter.ts";
export { createFileJournal } from "./scope/file-journal.ts";
export { createFileSource, type FileSourceOptions } from "./scope/file-source.ts";
export { createHttpSource, type HttpSourceOptions } from "./scope/http-source.ts";
export type { Reconciled, ReconcileRefusal } from "./scope/reconcile-scope.ts";
export { resolveScope, type ScopeFallback, type ScopePolicy, type ScopeResolution } from "./scope/resolve-scope.ts";
export { createRuntimeSource, type RuntimeSourceOptions } from "./scope/runtime-source.ts";
export type { DriftAction, DriftFinding, DriftReason, ScopeDriftEvent } from "./scope/scope-drift.ts";
export { createMemoryJournal, type JournalEntry, type ScopeJournal } from "./scope/scope-journal.ts";
export {
  createScopeResolver,
  type ScopedOperation,
  type ScopeOutcome,
  type ScopeRefusal,
  type ScopeResolver,
  type ScopeResolverOptions,
} from "./scope/scope-resolver.ts";
export type {
  ScopeReading,
  ScopeSnapshot,
  ScopeSource,
  ScopeSources,
  ScopeWrite,
  ScopeWriting,
  WritableScopeSource,
} from "./scope/scope-source.ts";
export type { ReconcilePolicy, ScopeStage } from "./scope/scope-stage.ts";
export type { ScopeState, ScopeStatus } from "./scope/scope-status.ts";
export type { Undone } from "./scope/undo-scope.ts";
