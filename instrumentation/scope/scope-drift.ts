import { resolveScope, type ScopePolicy, type ScopeResolution } from "./resolve-scope.ts";
import { type ScopeReading, type ScopeSnapshot, scopeOf, SOURCE_PRECEDENCE } from "./scope-source.ts";

export const DRIFT_REASONS = [
  /** The scope cannot be resolved. */
  "unresolved",
  /** This process goes on with a value that is no longer what the sources say. */
  "stale_cache",
  /** The sources went on changing while they were read. */
  "unstable",
  /** The runtime override contradicts itself: a flag and a variable differ. */
  "runtime_mismatch",
  "local_mismatch",
  /** Nothing is persisted, and a process without this override would work in another scope. */
  "local_missing",
  "local_unreadable",
  "cloud_mismatch",
  "cloud_unreadable",
] as const;
export type DriftReason = (typeof DRIFT_REASONS)[number];

export const DRIFT_ACTIONS = ["sync_local", "sync_cloud", "refresh", "manual_repair"] as const;
export type DriftAction = (typeof DRIFT_ACTIONS)[number];

/** One thing that is not as the resolved scope. */
export interface DriftFinding {
  readonly reason: DriftReason;
  readonly action: DriftAction;
  /** What differs, with the values, in a sentence. */
  readonly detail: string;
}

/** `scope_drift_detected`: these fields and no others. `null`: that source says nothing, or cannot be read. */
export interface ScopeDriftEvent {
  readonly runtime_scope: string | null;
  readonly local_scope: string | null;
  readonly cloud_scope: string | null;
  readonly resolved_scope: string | null;
  readonly authorized: boolean;
  readonly reason: DriftReason;
  readonly action_required: DriftAction;
  readonly drift_snapshot: { readonly source_precedence: readonly string[] };
}

/** Everything in which the sources differ from the resolved scope, the worst first; none: they are in sync. */
export function driftFindings(
  snapshot: ScopeSnapshot,
  resolution: ScopeResolution,
  policy: ScopePolicy,
): readonly DriftFinding[] {
  if (resolution.kind === "unresolved") {
    return [finding("unresolved", "manual_repair", `${resolution.source}: ${resolution.problem}`)];
  }
  const { scope } = resolution;
  return [
    ...runtimeFindings(snapshot.runtime, scope),
    ...localFindings(snapshot, resolution, policy),
    ...sourceFindings("cloud", snapshot.cloud, scope),
  ];
}

function runtimeFindings(reading: ScopeReading | undefined, scope: string): DriftFinding[] {
  const others = reading?.kind === "present" ? (reading.shadowed ?? []).filter((other) => other !== scope) : [];
  return others.map((other) =>
    finding(
      "runtime_mismatch",
      "manual_repair",
      `the runtime override also says ${quoted(other)}, not ${quoted(scope)}`,
    ),
  );
}

/**
 * A missing local scope contradicts nobody by itself. Beside a runtime override it does: whoever is started without the
 * override takes what the cloud or the fallback says, so that one writes here and the other reads there.
 */
function localFindings(
  snapshot: ScopeSnapshot,
  resolution: Extract<ScopeResolution, { kind: "resolved" }>,
  policy: ScopePolicy,
): DriftFinding[] {
  const { scope } = resolution;
  if (snapshot.local?.kind !== "absent") return sourceFindings("local", snapshot.local, scope);
  if (resolution.source !== "runtime") return [];
  // Where it would have no scope it would do nothing: no harm.
  const without = resolveScope({ ...snapshot, runtime: undefined }, policy);
  if (without.kind === "unresolved" || without.scope === scope) return [];
  const detail = `no local scope is kept; without the override a process works in ${quoted(without.scope)}, not ${quoted(scope)}`;
  return [finding("local_missing", "sync_local", detail)];
}

function sourceFindings(name: "local" | "cloud", reading: ScopeReading | undefined, scope: string): DriftFinding[] {
  if (reading === undefined || reading.kind === "absent") return [];
  if (reading.kind === "unreadable") {
    return [finding(`${name}_unreadable`, "manual_repair", `${name} cannot be read: ${reading.problem}`)];
  }
  if (reading.scope === scope) return [];
  return [
    finding(`${name}_mismatch`, `sync_${name}`, `${name} says ${quoted(reading.scope)}, resolved is ${quoted(scope)}`),
  ];
}

export interface DriftFacts {
  readonly snapshot: ScopeSnapshot;
  readonly resolution: ScopeResolution;
  readonly authorized: boolean;
  readonly findings: readonly DriftFinding[];
}

/** The event of what was found; `undefined` when nothing was. The first finding is its reason. */
export function driftEvent({ snapshot, resolution, authorized, findings }: DriftFacts): ScopeDriftEvent | undefined {
  const [worst] = findings;
  if (worst === undefined) return undefined;
  return {
    runtime_scope: scopeOf(snapshot.runtime),
    local_scope: scopeOf(snapshot.local),
    cloud_scope: scopeOf(snapshot.cloud),
    resolved_scope: resolution.kind === "resolved" ? resolution.scope : null,
    authorized,
    reason: worst.reason,
    action_required: worst.action,
    drift_snapshot: { source_precedence: SOURCE_PRECEDENCE },
  };
}

export const finding = (reason: DriftReason, action: DriftAction, detail: string): DriftFinding => ({
  reason,
  action,
  detail,
});

/** Quoted and cut: what a source says may be anything. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, 200));
