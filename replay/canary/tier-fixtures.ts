import { readFixtureOnDisk } from "../certify/fixture-on-disk.ts";
import { lifeCycleNow, type LifeCycleOptions } from "../certify/life-cycle-now.ts";
import { type FixtureListing, listFixtures } from "../fixture/fixture-store.ts";
import { matchesFilter } from "../suite/suite-selection.ts";
import type { CanaryState } from "./outcome.ts";
import type { Tier } from "./tier.ts";

/** A fixture of a tier, with what it is now. */
export interface TierFixture {
  readonly listing: FixtureListing;
  readonly state: CanaryState;
  /** Why it is in that state, in sentences. */
  readonly reasons: readonly string[];
}

/**
 * The fixtures of a tier as they lie in the folders now, by id: what was written a moment ago is among them. Of two with
 * one id, the one in the earlier folder counts. Rejects when a folder cannot be listed.
 */
export async function tierFixtures(
  roots: readonly string[],
  tier: Pick<Tier, "fixtures" | "states">,
  lifeCycle: LifeCycleOptions,
): Promise<TierFixture[]> {
  const listings = new Map<string, FixtureListing>();
  for (const root of roots.toReversed()) for (const one of await listFixtures(root)) listings.set(one.id, one);
  const members: TierFixture[] = [];
  for (const listing of [...listings.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (tier.fixtures.length > 0 && !tier.fixtures.some((it) => matchesFilter(listing.id, it))) continue;
    const member = await memberOf(listing, lifeCycle);
    if (isMember(member, tier)) members.push(member);
  }
  return members;
}

async function memberOf(listing: FixtureListing, lifeCycle: LifeCycleOptions): Promise<TierFixture> {
  const read = listing.reading.ok ? await readFixtureOnDisk(listing.path) : listing.reading;
  if (!read.ok) return { listing: { ...listing, reading: read }, state: "unreadable", reasons: [] };
  const { state, reasons } = await lifeCycleNow(read.value, lifeCycle);
  // What was judged is what is replayed, also when the files change under us.
  return { listing: { ...listing, reading: { ok: true, fixture: read.value.fixture } }, state, reasons };
}

function isMember({ listing: { reading }, state }: TierFixture, { states }: Pick<Tier, "states">): boolean {
  if (state === "retired") return false;
  // Nobody can tell what it guards: it may be anything.
  if (state === "unreadable") return true;
  const hadProof = reading.ok && reading.fixture.notes.certification !== null;
  return states.includes(state) || (hadProof && states.includes("certified"));
}
