import { realNow, realRandomUUID } from "../real-sources.ts";
import type { AuthorizeScope } from "./authorize-scope.ts";
import { createDriftReporter, type EmitDrift } from "./drift-reporter.ts";
import { establishScope, statusOf } from "./establish-scope.ts";
import { createMemoryJournal, type ScopeJournal } from "./scope-journal.ts";
import { type Reconciled, type ReconcileSetting, reconcileScope } from "./reconcile-scope.ts";
import { fallbackScope, type ScopePolicy } from "./resolve-scope.ts";
import { finding } from "./scope-drift.ts";
import { isSameSnapshot, readSnapshot } from "./scope-snapshot.ts";
import type { ScopeSources } from "./scope-source.ts";
import { type ReconcilePolicy, type ScopeStage, stageExecutesDrifted } from "./scope-stage.ts";
import { type ScopeStatus, withFinding } from "./scope-status.ts";
import { emitScopeDrift, markScope } from "./scope-telemetry.ts";
import { type Undone, undoScope } from "./undo-scope.ts";

export interface ScopeResolverOptions {
  /** One that is missing is not asked and not compared. */
  readonly sources: ScopeSources;
  /** Without it nobody could be refused, so there is no default. */
  readonly authorize: AuthorizeScope;
  readonly policy: ScopePolicy;
  /** Default `observe`. */
  readonly stage?: ScopeStage;
  /** What was written and could be put back. Default: in memory. */
  readonly journal?: ScopeJournal;
  /** Told of drift too; it is on the active span and in the active run in any case. Default: nobody. */
  readonly emit?: EmitDrift;
  /** For each source and for the authoriser, milliseconds. Default 2,000. */
  readonly timeoutMillis?: number;
  /**
   * How long a permission may be used again, milliseconds, while no source changes: they are read before each execution
   * all the same. Default 0: asked each time.
   */
  readonly permissionMillis?: number;
  /** The same drift is emitted again after this time, milliseconds. Default 60,000. */
  readonly repeatMillis?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly newId?: () => string;
}

export interface ScopedOperation {
  /** What is to be done; the authoriser is told. */
  readonly operation: string;
  /** Scope that the caller still has from before. If it is another one now, that is drift, `stale_cache`. */
  readonly held?: string;
}

export type ScopeRefusal = "unresolved" | "unauthorized" | "authorization_failed" | "stale_cache" | "drifted";

export type ScopeOutcome<Result> =
  | { readonly kind: "executed"; readonly value: Result; readonly scope: string; readonly status: ScopeStatus }
  | {
      readonly kind: "refused";
      readonly code: ScopeRefusal;
      readonly explanation: string;
      readonly status: ScopeStatus;
    };

/**
 * Resolve, then authorise, then execute. One for a process and purpose; nothing is shared between two but their sources.
 */
export interface ScopeResolver {
  /** Looks at the sources and asks for permission. Changes nothing. Never rejects. */
  check(operation?: string): Promise<ScopeStatus>;
  /** What the newest look came to; `undefined` before the first. */
  last(): ScopeStatus | undefined;
  /**
   * Calls `work` with the resolved scope if that is authorised; else nothing executes, and the reason is data. Rejects only
   * with what `work` throws.
   */
  withScope<Result>(
    operation: string | ScopedOperation,
    work: (scope: string, status: ScopeStatus) => Result,
  ): Promise<ScopeOutcome<Awaited<Result>>>;
  /** Makes one source agree, if stage and permission allow it. Never rejects. */
  reconcile(policy: ReconcilePolicy): Promise<Reconciled>;
  /** Puts back what the newest write in the journal replaced. Never rejects. */
  undo(): Promise<Undone>;
}

/** Throws for a policy whose fixed fallback is no scope. */
export function createScopeResolver(options: ScopeResolverOptions): ScopeResolver {
  const setting = settingFrom(options);
  const { permissionMillis = 0 } = options;
  /** What this process last worked with; `permitted` is what it was allowed, and when. */
  let known: ScopeStatus | undefined;
  let permitted: { readonly status: ScopeStatus; readonly operation: string } | undefined;
  let newest: ScopeStatus | undefined;
  const see = (status: ScopeStatus): ScopeStatus => {
    newest = status;
    setting.onStatus(status);
    return status;
  };

  /** The cached permission if it holds, else a full look. */
  async function established(operation: string): Promise<ScopeStatus> {
    const cached = permitted;
    if (cached?.operation === operation && setting.now() < cached.status.checkedAt + permissionMillis) {
      const snapshot = await readSnapshot(setting.sources, setting.timeoutMillis);
      if (isSameSnapshot(snapshot, cached.status.snapshot)) {
        return { ...statusOf(setting, snapshot, cached.status.authorization), checkedAt: cached.status.checkedAt };
      }
    }
    const status = await establishScope(setting, operation);
    permitted = permissionMillis > 0 && status.authorized ? { status, operation } : undefined;
    return status;
  }

  return {
    check: async (operation = "scope.check") => see(await establishScope(setting, operation)),
    last: () => newest,
    async withScope(asked, work) {
      const { operation, held } = typeof asked === "string" ? { operation: asked } : asked;
      const found = await established(operation);
      const status = see(staleness(found, [held, known?.scope ?? undefined]));
      const refusal = refusalOf(status);
      // Told once. From here on the process knows.
      if (refusal === undefined || refusal.code === "stale_cache") known = found;
      if (refusal !== undefined) return { kind: "refused", ...refusal, status };
      const scope = status.scope as string;
      markScope(status);
      return { kind: "executed", value: await work(scope, status), scope, status };
    },
    reconcile: (policy) => reconcileScope({ ...setting, onStatus: see }, policy),
    async undo() {
      const undone = await undoScope(setting);
      // What was put back is no surprise to whoever put it back.
      if (undone.kind === "undone") known = see(await establishScope(setting, "scope.check"));
      return undone;
    },
  };
}

function settingFrom(options: ScopeResolverOptions): ReconcileSetting {
  const { policy, emit, repeatMillis = 60_000 } = options;
  if (policy.fallback.kind === "fixed") {
    const fallback = fallbackScope(policy.fallback);
    if (fallback.kind === "unresolved") throw new TypeError(`the fallback is no scope: ${fallback.problem}`);
  }
  const reporter = createDriftReporter({
    repeatMillis,
    emit: async (event) => {
      emitScopeDrift(event);
      await emit?.(event);
    },
  });
  return {
    sources: options.sources,
    authorize: options.authorize,
    policy,
    stage: options.stage ?? "observe",
    journal: options.journal ?? createMemoryJournal(),
    timeoutMillis: options.timeoutMillis ?? 2_000,
    now: options.now ?? realNow,
    newId: options.newId ?? realRandomUUID,
    onStatus: (status) => reporter.report(status),
  };
}

/** What this process or its caller had before, and is no longer so. */
function staleness(status: ScopeStatus, before: readonly (string | undefined)[]): ScopeStatus {
  const stale = before.find((scope) => scope !== undefined && scope !== status.scope);
  if (stale === undefined || status.scope === null) return status;
  const detail = `this process worked in ${JSON.stringify(stale.slice(0, 200))}; now the scope is ${JSON.stringify(status.scope)}`;
  return withFinding(status, finding("stale_cache", "refresh", detail));
}

function refusalOf(status: ScopeStatus): { readonly code: ScopeRefusal; readonly explanation: string } | undefined {
  const { resolution, authorization, findings, stage } = status;
  if (resolution.kind === "unresolved") {
    return { code: "unresolved", explanation: `${resolution.source}: ${resolution.problem}` };
  }
  if (authorization.kind === "denied") return { code: "unauthorized", explanation: authorization.reason };
  if (authorization.kind !== "granted") {
    const explanation = "reason" in authorization ? authorization.reason : "nobody was asked";
    return { code: "authorization_failed", explanation };
  }
  const [worst] = findings;
  if (worst === undefined || stageExecutesDrifted(stage)) return undefined;
  return { code: worst.reason === "stale_cache" ? "stale_cache" : "drifted", explanation: worst.detail };
}
