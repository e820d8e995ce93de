import { createHash } from "node:crypto";
import { isScopeName, SCOPE_NAME_RULE } from "./scope-name.ts";
import { SCOPE_SOURCES, type ScopeSnapshot, type ScopeSourceName } from "./scope-source.ts";

/** What holds when no source says anything: exactly one of these. */
export type ScopeFallback =
  /** A fixed safe project. */
  | { readonly kind: "fixed"; readonly scope: string }
  /** A namespace of one identity's own; without an identity nothing is resolved. */
  | { readonly kind: "identity"; readonly identity: string | null; readonly prefix?: string }
  /** A hard failure. */
  | { readonly kind: "fail" };

export interface ScopePolicy {
  readonly fallback: ScopeFallback;
}

export type UnresolvedCode = "source_unreadable" | "scope_invalid" | "scope_missing";

/** What a snapshot and a policy come to. Unresolved is an end: nothing is guessed, nothing executes. */
export type ScopeResolution =
  | { readonly kind: "resolved"; readonly scope: string; readonly source: ScopeSourceName | "fallback" }
  | {
      readonly kind: "unresolved";
      readonly code: UnresolvedCode;
      readonly source: ScopeSourceName | "fallback";
      readonly problem: string;
    };

/**
 * Runtime override, then local persisted scope, then cloud default, then the fallback. The first source that is not absent
 * decides, also when it is unreadable or says something that is no scope: then nothing is resolved.
 */
export function resolveScope(snapshot: ScopeSnapshot, policy: ScopePolicy): ScopeResolution {
  for (const source of SCOPE_SOURCES) {
    const reading = snapshot[source];
    if (reading === undefined || reading.kind === "absent") continue;
    if (reading.kind === "unreadable") return unresolved("source_unreadable", source, reading.problem);
    if (!isScopeName(reading.scope)) return unresolved("scope_invalid", source, SCOPE_NAME_RULE);
    return { kind: "resolved", scope: reading.scope, source };
  }
  return fallbackScope(policy.fallback);
}

/** What a process gets that no source says anything to. */
export function fallbackScope(fallback: ScopeFallback): ScopeResolution {
  if (fallback.kind === "fail") {
    return unresolved("scope_missing", "fallback", "no source names a scope, and the policy has no fallback");
  }
  const scope = fallback.kind === "fixed" ? fallback.scope : identityScope(fallback);
  if (scope === null)
    return unresolved("scope_missing", "fallback", "no source names a scope, and there is no identity");
  if (!isScopeName(scope)) return unresolved("scope_invalid", "fallback", SCOPE_NAME_RULE);
  return { kind: "resolved", scope, source: "fallback" };
}

/** Hashed: identities that differ in a character no scope may have must not share a namespace. */
function identityScope({ identity, prefix = "user-" }: Extract<ScopeFallback, { kind: "identity" }>): string | null {
  if (identity === null || identity === "") return null;
  return prefix + createHash("sha256").update(identity).digest("hex").slice(0, 24);
}

const unresolved = (
  code: UnresolvedCode,
  source: ScopeSourceName | "fallback",
  problem: string,
): Extract<ScopeResolution, { kind: "unresolved" }> => ({ kind: "unresolved", code, source, problem });
