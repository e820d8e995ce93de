import { type FixtureFigure, type TierFigures, VALID_INTERVALS } from "../tier-figures.ts";
import type { GateInput, GatePolicy, GateReason } from "./gate-input.ts";

/** What the fixtures of the tiers that count do not prove. */
export function fixtureReasons({ monitor }: GateInput, policy: GatePolicy, now: number): GateReason[] {
  const tiers = monitor?.figures?.tiers ?? [];
  return policy.tiers.flatMap((name) => {
    const found = tiers.filter(({ tier }) => tier === name);
    if (found.length > 0) return found.flatMap((tier) => tierReasons(tier, policy, now));
    if (policy.allowNoFixtures) return [];
    return [noFixtures(`No canary of the tier ${name} was ever heard of.`, { tier: name })];
  });
}

function tierReasons(tier: TierFigures, policy: GatePolicy, now: number): GateReason[] {
  const ofFixtures = tier.fixtures.flatMap((fixture) => fixtureReason(fixture, tier));
  const proven = tier.fixtures.filter(({ state, outcome }) => state === "certified" && outcome === "passing");
  const proves = proven.length > 0 || ofFixtures.length > 0 || policy.allowNoFixtures;
  const where = { project: tier.project, tier: tier.tier };
  return [
    ...silence(tier, now),
    ...ofFixtures,
    ...(proves ? [] : [noFixtures(`No certified fixture of the tier ${tier.tier} proves anything.`, where)]),
  ];
}

const noFixtures = (message: string, details: GateReason["details"]): GateReason => ({
  code: "no_fixtures",
  message,
  details,
});

function silence({ project, tier, interval_seconds, round_ended_at }: TierFigures, now: number): GateReason[] {
  const details = { project, tier, interval_seconds, round_ended_at };
  if (round_ended_at === null) {
    return [{ code: "canary_silent", message: `No round of the tier ${tier} has ended yet.`, details }];
  }
  const age = (now - round_ended_at) / 1_000;
  if (interval_seconds > 0 && age <= VALID_INTERVALS * interval_seconds) return [];
  const message = `The newest round of the tier ${tier} ended ${Math.round(age)} s ago; it runs every ${interval_seconds} s.`;
  return [{ code: "canary_silent", message, details }];
}

/** A candidate that fails closes the gate like any other; that it passes, or proves nothing, says nothing. */
function fixtureReason(fixture: FixtureFigure, { project, tier }: TierFigures): GateReason[] {
  const { fixture_id, outcome, state, why, agent_name, protects, observed_at, run_id } = fixture;
  if (outcome === "passing" || (state === "candidate" && outcome !== "failing")) return [];
  const details = { project, tier, fixture_id, state, why, agent_name, protects, observed_at, run_id };
  const message = `The fixture ${fixture_id} is ${outcome}${why === "" ? "" : `: ${why}`}`;
  return [{ code: `fixture_${outcome}`, message, details }];
}
