import type { ExpectedSideEffect } from "../../instrumentation/contract/contract.ts";
import type { ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import { callDifferences } from "./side-effect-match.ts";

/** Which calls stand for which expectation. Every call is used at most once. */
export interface Assignment {
  /** By index of the expectation. */
  readonly byExpectation: readonly (readonly ToolCallEvidence[])[];
  /** Calls that fit no expectation at all. */
  readonly unmatched: readonly ToolCallEvidence[];
}

/**
 * Assigns calls to expectations so that as many wanted calls as possible are found (maximum bipartite matching), in
 * whatever order they happened: with overlapping expectations, "first that fits" would call a right run wrong.
 * Surplus calls go to the first expectation they fit, which then counts them as repeated.
 */
export function assignCalls(expected: readonly ExpectedSideEffect[], calls: readonly ToolCallEvidence[]): Assignment {
  const ordered = calls.toSorted((a, b) => (a.spanId < b.spanId ? -1 : a.spanId > b.spanId ? 1 : 0));
  const fits = ordered.map((call) =>
    expected.flatMap((one, index) => (callDifferences(one, call).length === 0 ? [index] : [])),
  );
  const slots = expected.flatMap((one, index) =>
    Array.from({ length: Math.min(wantedTimes(one), ordered.length) }, () => index),
  );
  const callOfSlot = matchSlots(slots, fits);
  const byExpectation = expected.map((): ToolCallEvidence[] => []);
  const used = new Set<number>();
  for (const [slot, call] of callOfSlot) {
    used.add(call);
    byExpectation[slots[slot] as number]?.push(ordered[call] as ToolCallEvidence);
  }
  const unmatched: ToolCallEvidence[] = [];
  for (const [index, call] of ordered.entries()) {
    if (used.has(index)) continue;
    // Prefer an open-ended expectation: there a further call is no repetition.
    const options = fits[index] ?? [];
    const target = options.find((option) => "atLeast" in (expected[option]?.times ?? {})) ?? options[0];
    if (target === undefined) unmatched.push(call);
    else byExpectation[target]?.push(call);
  }
  return { byExpectation, unmatched };
}

const wantedTimes = (one: ExpectedSideEffect): number =>
  "exactly" in one.times ? one.times.exactly : one.times.atLeast;

/** Kuhn's augmenting paths, with an explicit visited set per search. Returns slot -> call. */
function matchSlots(slots: readonly number[], fits: readonly (readonly number[])[]): Map<number, number> {
  const slotOfCall = new Map<number, number>();
  const place = (slot: number, visited: Set<number>): boolean => {
    for (const [call, options] of fits.entries()) {
      if (visited.has(call) || !options.includes(slots[slot] as number)) continue;
      visited.add(call);
      const holder = slotOfCall.get(call);
      if (holder === undefined || place(holder, visited)) {
        slotOfCall.set(call, slot);
        return true;
      }
    }
    return false;
  };
  for (const slot of slots.keys()) place(slot, new Set());
  return new Map([...slotOfCall].map(([call, slot]) => [slot, call]));
}
