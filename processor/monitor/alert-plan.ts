import { createHash } from "node:crypto";
import type { AlertKey, AlertRow, BadRuns, CanaryResult } from "../clickhouse/monitor-rows.ts";

/** The same for the same class, revision and episode, whoever raises it. */
export const alertId = ({ project, agent_name, failure_class, code_version }: AlertKey, episode: number): string =>
  `alert-${createHash("sha256")
    .update(JSON.stringify([project, agent_name, failure_class, code_version, episode]))
    .digest("hex")
    .slice(0, 32)}`;

export const alertKeyText = ({ project, agent_name, failure_class, code_version }: AlertKey): string =>
  JSON.stringify([project, agent_name, failure_class, code_version]);

/** Something that deserves an alert: bad production runs, a canary that fails, or both. */
export interface Trouble {
  readonly key: AlertKey;
  readonly bad?: BadRuns;
  readonly canary?: CanaryResult;
}

/** What was bad lately, by key. A class without a name is one too. */
export function troubles(bad: readonly BadRuns[], results: readonly CanaryResult[]): Trouble[] {
  const found = new Map<string, Trouble>();
  for (const runs of bad) found.set(alertKeyText(runs), { key: keyOf(runs), bad: runs });
  for (const canary of results) {
    if (canary.outcome !== "failing" || canary.fixture_state === "retired" || canary.protects === "") continue;
    const key = keyOf({ ...canary, failure_class: canary.protects });
    const text = alertKeyText(key);
    found.set(text, { ...found.get(text), key, canary });
  }
  return [...found.values()];
}

const keyOf = ({ project, agent_name, failure_class, code_version }: AlertKey): AlertKey => ({
  project,
  agent_name,
  failure_class,
  code_version,
});

/** `new`: nobody was told yet. `more`: the alert fires already. `nothing`: all of it was before the resolve. */
export type TroubleNews =
  | { readonly kind: "new"; readonly episode: number; readonly since: number }
  | { readonly kind: "more"; readonly alert: AlertRow }
  | { readonly kind: "nothing" };

/** `known`: all alerts of the key, of any episode. */
export function newsOf({ bad, canary }: Trouble, known: readonly AlertRow[]): TroubleNews {
  const last = known.toSorted((a, b) => b.episode - a.episode || b.version - a.version)[0];
  if (last === undefined) return { kind: "new", episode: 1, since: 0 };
  if (last.state === "firing") return { kind: "more", alert: last };
  const resolvedAt = last.resolved_at ?? last.alerted_at;
  // A run that came in after the resolve counts whatever its agent's clock says.
  const isBadSince = bad !== undefined && Math.max(bad.last_received_at, bad.last_bad_at) > resolvedAt;
  const failsSince = canary !== undefined && canary.observed_at > resolvedAt;
  return isBadSince || failsSince ? { kind: "new", episode: last.episode + 1, since: resolvedAt } : { kind: "nothing" };
}

export interface NewAlert {
  readonly trouble: Trouble;
  readonly episode: number;
  /** When the episode before ended: what was bad earlier was told then. 0 for the first. */
  readonly since: number;
  /** The bad production runs of the key, as far as one looks back; `undefined` when there is none. */
  readonly runs: BadRuns | undefined;
  readonly now: number;
}

export function firingAlert({ trouble, episode, since, runs, now }: NewAlert): AlertRow {
  const { key, canary } = trouble;
  const first_bad_at = Math.min(now, Math.max(since, runs?.first_bad_at ?? canary?.observed_at ?? now));
  return {
    ...key,
    alert_id: alertId(key, episode),
    episode,
    state: "firing",
    first_bad_run_id: runs?.first_bad_run_id ?? "",
    first_bad_at,
    last_bad_run_id: runs?.last_bad_run_id ?? "",
    last_bad_at: Math.min(now, runs?.last_bad_at ?? canary?.observed_at ?? now),
    alerted_at: now,
    resolved_at: null,
    resolved_by: "",
    resolve_reason: "",
    silent_failure_window_minutes: (now - first_bad_at) / 60_000,
    fixture_id: canary?.fixture_id ?? "",
    run_count: runs?.run_count ?? 0,
    version: 1,
  };
}

/** Resolved is the end of an episode: no count of a collector that has not heard of it may win over it. */
const RESOLVED_VERSION = 2 ** 40;

export interface Resolve {
  readonly by: string;
  readonly reason: string;
  /** The canary that proved it; `''` for a person. */
  readonly fixtureId: string;
  readonly now: number;
}

export const resolvedAlert = (alert: AlertRow, { by, reason, fixtureId, now }: Resolve): AlertRow => ({
  ...alert,
  state: "resolved",
  resolved_at: now,
  resolved_by: by,
  resolve_reason: reason,
  fixture_id: fixtureId || alert.fixture_id,
  version: RESOLVED_VERSION + alert.version,
});

/** The same alert with what has happened since; `undefined` when nothing has. */
export function countedAlert(alert: AlertRow, runs: BadRuns): AlertRow | undefined {
  if (runs.run_count <= alert.run_count && runs.last_bad_at <= alert.last_bad_at) return undefined;
  const { last_bad_run_id, last_bad_at, run_count } = runs;
  // A canary may have raised it before any production run was known.
  const first_bad_run_id = alert.first_bad_run_id || runs.first_bad_run_id;
  return { ...alert, first_bad_run_id, last_bad_run_id, last_bad_at, run_count, version: alert.version + 1 };
}

/**
 * The canary that proves an alert's class mended: certified, passing, in a round that was due after the last bad run, while
 * none that protects the class fails. Silence proves nothing.
 */
export function provingCanary(alert: AlertRow, results: readonly CanaryResult[]): CanaryResult | undefined {
  const { project, agent_name, failure_class, last_bad_at } = alert;
  const own = results.filter(
    (one) =>
      one.project === project &&
      one.agent_name === agent_name &&
      one.protects === failure_class &&
      one.fixture_state !== "retired",
  );
  if (own.some(({ outcome }) => outcome === "failing")) return undefined;
  return own.find(
    ({ outcome, fixture_state, slot, observed_at }) =>
      outcome === "passing" && fixture_state === "certified" && Math.min(slot, observed_at) > last_bad_at,
  );
}
