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
export {
  createFileJournal,
  createFileSource,
  createHttpSource,
  createMemoryJournal,
  createRuntimeSource,
  createScopeResolver,
  resolveScope,
  type AuthorizeScope,
  type Reconciled,
  type ReconcilePolicy,
  type ScopeDriftEvent,
  type ScopeFallback,
  type ScopeJournal,
  type ScopeOutcome,
  type ScopePolicy,
  type ScopeReading,
  type ScopeResolver,
  type ScopeResolverOptions,
  type ScopeSource,
  type ScopeStage,
  type ScopeStatus,
  type Undone,
  type WritableScopeSource,
} from "./scope/index.ts";
