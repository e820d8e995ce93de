import { fixtureReasons } from "./fixture-reasons.ts";
import type { GateDecision, GateInput, GatePolicy, GateReason } from "./gate-input.ts";
import { covers, isInForce } from "./override.ts";
import { serviceReasons } from "./service-reasons.ts";

/**
 * Whether the agents' proofs hold now. Pure: the same input, policy and time give the same answer, and every figure is
 * judged by its age at that time, so silence closes the gate without anybody noticing it first.
 */
export function decideGate(input: GateInput, policy: GatePolicy, now: number): GateDecision {
  const all = [...serviceReasons(input, now), ...fixtureReasons(input, policy, now), ...runReasons(input, policy)];
  const overrides = input.overrides.filter((override) => isInForce(override, now));
  const reasons: GateReason[] = [];
  const overridden: (GateReason & { readonly override_id: string })[] = [];
  for (const reason of all) {
    const override = overrides.find((one) => covers(one, reason));
    if (override === undefined) reasons.push(reason);
    else overridden.push({ ...reason, override_id: override.id });
  }
  return { open: reasons.length === 0, reasons, overridden, overrides };
}

/** Figures that are too old close the gate as such; what they say counts all the same. */
function runReasons({ monitor }: GateInput, policy: GatePolicy): GateReason[] {
  const figures = monitor?.figures;
  if (figures === undefined) return [];
  const { abandoned, unverified, window_seconds } = figures.runs;
  const reasons: GateReason[] = [];
  if (!(abandoned <= policy.maxAbandonedRuns)) {
    const message = `${abandoned} production runs were abandoned within ${window_seconds} s.`;
    reasons.push({ code: "runs_abandoned", message, details: { runs: abandoned, window_seconds } });
  }
  if (!(unverified <= policy.maxUnverifiedRuns)) {
    const message = `${unverified} production runs ended within ${window_seconds} s without proof of what they promised.`;
    reasons.push({ code: "claims_unverified", message, details: { runs: unverified, window_seconds } });
  }
  if (policy.alertsClose) reasons.push(...figures.alerts.map(alertReason));
  return reasons;
}

function alertReason(alert: NonNullable<NonNullable<GateInput["monitor"]>["figures"]>["alerts"][number]): GateReason {
  const { alert_id, project, agent_name, failure_class, code_version, alerted_at, fixture_id } = alert;
  return {
    code: "alert_open",
    message: `${failure_class || "a failure without a class"} of ${agent_name}: the alert fires.`,
    details: { alert_id, project, agent_name, failure_class, code_version, alerted_at, fixture_id },
  };
}
