import { type AuthorizeScope, authorizeScope, type ScopeAuthorization } from "./authorize-scope.ts";
import { resolveScope, type ScopePolicy } from "./resolve-scope.ts";
import { driftFindings, finding } from "./scope-drift.ts";
import { isSameSnapshot, readSnapshot } from "./scope-snapshot.ts";
import type { ScopeSnapshot, ScopeSources } from "./scope-source.ts";
import type { ScopeStage } from "./scope-stage.ts";
import { type ScopeStatus, withFinding } from "./scope-status.ts";

/** What establishing a scope needs to know. */
export interface ScopeSetting {
  readonly sources: ScopeSources;
  readonly authorize: AuthorizeScope;
  readonly policy: ScopePolicy;
  readonly stage: ScopeStage;
  /** For each source, and for the authoriser. */
  readonly timeoutMillis: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Sources that change more often than this while they are read are not understood: nothing executes. */
const MAX_LOOKS = 3;

/**
 * Resolves and authorises. The sources are read before the authoriser is asked and again after it has answered: what comes
 * back held, all of it together, at the moment of the answer. Never rejects.
 */
export async function establishScope(setting: ScopeSetting, operation: string): Promise<ScopeStatus> {
  let snapshot = await readSnapshot(setting.sources, setting.timeoutMillis);
  for (let looks = 1; ; looks++) {
    const status = await authorizedStatus(setting, snapshot, operation);
    if (status.resolution.kind === "unresolved") return status;
    const after = await readSnapshot(setting.sources, setting.timeoutMillis);
    if (isSameSnapshot(snapshot, after)) return status;
    if (looks === MAX_LOOKS) return unstable(status);
    snapshot = after;
  }
}

async function authorizedStatus(
  setting: ScopeSetting,
  snapshot: ScopeSnapshot,
  operation: string,
): Promise<ScopeStatus> {
  const { authorize, policy, timeoutMillis } = setting;
  const resolution = resolveScope(snapshot, policy);
  const authorization: ScopeAuthorization =
    resolution.kind === "unresolved"
      ? { kind: "not_asked" }
      : await authorizeScope(authorize, { scope: resolution.scope, operation }, timeoutMillis);
  return statusOf(setting, snapshot, authorization);
}

/** The status of a snapshot. Pure but for the clock. */
export function statusOf(
  { policy, stage, now }: Pick<ScopeSetting, "policy" | "stage" | "now">,
  snapshot: ScopeSnapshot,
  authorization: ScopeAuthorization,
): ScopeStatus {
  const resolution = resolveScope(snapshot, policy);
  const findings = driftFindings(snapshot, resolution, policy);
  return {
    state: findings.length === 0 ? "SYNCED" : "DRIFTED",
    authorized: authorization.kind === "granted",
    authorization,
    scope: resolution.kind === "resolved" ? resolution.scope : null,
    resolution,
    snapshot,
    findings,
    stage,
    checkedAt: now(),
  };
}

function unstable(status: ScopeStatus): ScopeStatus {
  const problem = `the sources changed during each of ${MAX_LOOKS} looks`;
  const changed = withFinding(status, finding("unstable", "refresh", problem));
  return { ...changed, authorized: false, authorization: { kind: "failed", reason: problem } };
}
