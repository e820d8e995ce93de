export type { AuthorizeScope, ScopePermission, ScopeRequest } from "./authorize-scope.ts";
export type { EmitDrift } from "./drift-reporter.ts";
export { createFileJournal } from "./file-journal.ts";
export { createFileSource, type FileSourceOptions } from "./file-source.ts";
export { createHttpSource, type HttpSourceOptions } from "./http-source.ts";
export type { Reconciled, ReconcileRefusal } from "./reconcile-scope.ts";
export { resolveScope, type ScopeFallback, type ScopePolicy, type ScopeResolution } from "./resolve-scope.ts";
export { createRuntimeSource, type RuntimeSourceOptions } from "./runtime-source.ts";
export type { DriftAction, DriftFinding, DriftReason, ScopeDriftEvent } from "./scope-drift.ts";
export { createMemoryJournal, type JournalEntry, type ScopeJournal } from "./scope-journal.ts";
export { isScopeName } from "./scope-name.ts";
export {
  createScopeResolver,
  type ScopedOperation,
  type ScopeOutcome,
  type ScopeRefusal,
  type ScopeResolver,
  type ScopeResolverOptions,
} from "./scope-resolver.ts";
export type {
  ScopeReading,
  ScopeSnapshot,
  ScopeSource,
  ScopeSources,
  ScopeWrite,
  ScopeWriting,
  WritableScopeSource,
} from "./scope-source.ts";
export { RECONCILE_POLICIES, SCOPE_STAGES, type ReconcilePolicy, type ScopeStage } from "./scope-stage.ts";
export type { ScopeState, ScopeStatus } from "./scope-status.ts";
export type { Undone } from "./undo-scope.ts";
