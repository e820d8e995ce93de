import { type ScopeReading, SCOPE_SOURCES, SOURCE_PRECEDENCE } from "./scope-source.ts";
import type { ScopeStatus } from "./scope-status.ts";

/** A status as JSON, the same in the command line, the HTTP interface and for coding agents. */
export function scopeReport(status: ScopeStatus) {
  const { resolution, authorization, snapshot } = status;
  return {
    state: status.state,
    authorized: status.authorized,
    resolved_scope: status.scope,
    resolved_from: resolution.source,
    problem: resolution.kind === "unresolved" ? { code: resolution.code, detail: resolution.problem } : null,
    authorization: { outcome: authorization.kind, reason: "reason" in authorization ? authorization.reason : null },
    sources: Object.fromEntries(SCOPE_SOURCES.map((name) => [name, sourceReport(snapshot[name])])),
    mismatches: status.findings.map(({ reason, action, detail }) => ({ reason, action_required: action, detail })),
    stage: status.stage,
    source_precedence: SOURCE_PRECEDENCE,
    checked_at: new Date(status.checkedAt).toISOString(),
  };
}

function sourceReport(reading: ScopeReading | undefined) {
  if (reading === undefined) return { kind: "not_set_up", scope: null, problem: null };
  return {
    kind: reading.kind,
    scope: reading.kind === "present" ? reading.scope : null,
    problem: reading.kind === "unreadable" ? reading.problem : null,
  };
}
