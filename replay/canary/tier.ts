import type { LifeCycleState } from "../certify/life-cycle.ts";

/**
 * How a tier's fixtures are replayed. `strict_if_possible`: behind the wall of mode `strict`; where none stands, or what
 * fails behind it was not proven there, as `cassette`, and the result says so.
 */
export const CANARY_MODES = ["cassette", "strict", "strict_if_possible"] as const;
export type CanaryMode = (typeof CANARY_MODES)[number];

/** States by which fixtures are chosen. What is retired is never replayed, what cannot be read is part of every tier. */
export const TIER_STATES = ["candidate", "certified", "flaky", "stale"] as const satisfies readonly LifeCycleState[];
export type TierState = (typeof TIER_STATES)[number];

/** A set of fixtures and how often they are replayed. */
export interface Tier {
  /** Lower case letters, digits, `_` and `-`. */
  readonly name: string;
  readonly everySeconds: number;
  /** Text in the id, or a pattern of the whole id with `*`; one that fits is enough. Empty: all. */
  readonly fixtures: readonly string[];
  readonly states: readonly TierState[];
  readonly mode: CanaryMode;
  /** A replay is killed after this, or after the fixture's own time if that is shorter. */
  readonly timeoutSeconds: number;
}

/**
 * Spec C1. Critical is whatever ever had a proof, also when the proof no longer holds: a fixture must not leave the tier by
 * going stale.
 */
export const DEFAULT_TIERS: readonly Tier[] = [
  tier("critical", { everySeconds: 900, states: ["certified", "flaky", "stale"], timeoutSeconds: 120 }),
  tier("broad", { everySeconds: 3_600, timeoutSeconds: 300 }),
  tier("full", { everySeconds: 86_400, mode: "strict_if_possible", timeoutSeconds: 600 }),
];

function tier(name: string, given: Partial<Tier>): Tier {
  return {
    name,
    everySeconds: 3_600,
    fixtures: [],
    states: TIER_STATES,
    mode: "cassette",
    timeoutSeconds: 300,
    ...given,
  };
}

/** A tier that only the configuration knows. */
export const ownTier = (name: string): Tier => tier(name, {});
