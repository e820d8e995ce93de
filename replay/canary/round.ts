import type { LifeCycleOptions } from "../certify/life-cycle-now.ts";
import { isInShard } from "../suite/shard.ts";
import {
  type EventSender,
  projectOf,
  resultEvent,
  roundEvent,
  type RoundPhase,
  type RoundPlace,
} from "./canary-events.ts";
import type { Lanes } from "./lanes.ts";
import { CANARY_OUTCOMES, type CanaryOutcome } from "./outcome.ts";
import type { Outbox } from "./outbox.ts";
import { type CanaryResult, type MemberOptions, replayMember } from "./replay-member.ts";
import { roundIdOf } from "./slot.ts";
import { type TierFixture, tierFixtures } from "./tier-fixtures.ts";
import type { Tier } from "./tier.ts";

/** A round, or a shard of it, to be done now. */
export interface DueRound extends Omit<RoundPlace, "tier" | "everySeconds"> {
  readonly tier: Tier;
  /** Slots since the last round that went by without one. */
  readonly missedSlots: number;
}

export interface RoundOptions extends Omit<MemberOptions, "tier"> {
  /** Folders of fixtures. */
  readonly roots: readonly string[];
  readonly lifeCycle: LifeCycleOptions;
  readonly lanes: Lanes;
  /** `null`: nobody is told. */
  readonly outbox: Outbox | null;
  readonly sender: EventSender;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called as each fixture is done, in the order they end. */
  readonly onResult?: (result: CanaryResult, place: { readonly done: number; readonly total: number }) => void;
}

export type CanaryCounts = Readonly<Record<CanaryOutcome, number>>;

export interface RoundReport {
  readonly roundId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Ids of all fixtures of the tier, of other shards too. */
  readonly fixtureIds: readonly string[];
  /** Of this shard, by fixture id. Without an entry for what was interrupted. */
  readonly results: readonly CanaryResult[];
  /** Every fixture of the shard has a result. */
  readonly complete: boolean;
  readonly counts: CanaryCounts;
  /** Events the service has not got, and why; they are kept for the next round. */
  readonly unsent: number;
  readonly problem: string | null;
  /** Runs that the service did not take. They are not kept: the next round has its own. */
  readonly unstored: number;
}

/**
 * Replays the fixtures of a tier and tells the service what each shows. An interrupted round says so. Rejects when the
 * folders cannot be listed, or an event cannot be put on disk.
 */
export async function runRound(due: DueRound, options: RoundOptions): Promise<RoundReport> {
  const { tier, slot, shard, missedSlots } = due;
  const { outbox, now } = options;
  const place: RoundPlace = { tier: tier.name, everySeconds: tier.everySeconds, slot, shard };
  const startedAt = now();
  const members = await tierFixtures(options.roots, tier, options.lifeCycle);
  const fixtureIds = members.map(({ listing }) => listing.id);
  const mine = members.filter(({ listing }) => isInShard(listing.id, shard));
  const at = increasing(now);
  const tell = async (phase: RoundPhase, explanation: string): Promise<void> => {
    for (const [project, ids] of idsByProject(members, options.sender)) {
      const news = { phase, project, fixtureIds: ids, missedSlots, explanation, durationMillis: now() - startedAt };
      await outbox?.add(roundEvent(place, news, options.sender, at()));
    }
  };
  await tell("started", startedText(mine.length, missedSlots));
  void outbox?.deliver(options.signal).catch(() => {});
  const results = await replayAll(mine, place, { ...options, tier, now: at });
  const complete = results.length === mine.length;
  const counts = countsOf(results);
  await tell(complete ? "ended" : "interrupted", endedText(counts, mine.length - results.length));
  const delivery = (await outbox?.deliver(options.signal)) ?? { unsent: 0, problem: null };
  const report = { roundId: roundIdOf(tier.name, slot), startedAt, endedAt: now(), fixtureIds };
  const lost = results.filter(({ run, stored }) => run !== null && !stored && options.replay.storeUrl !== null);
  return { ...report, results, complete, counts, ...delivery, unstored: lost.length };
}

/** A tier without fixtures is told too: it has none. */
function idsByProject(members: readonly TierFixture[], sender: EventSender): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>(members.length === 0 ? [[projectOf(sender, ""), []]] : []);
  for (const { listing } of members) {
    const { id, reading } = listing;
    const project = projectOf(sender, reading.ok ? reading.fixture.notes.source.project : "");
    ids.set(project, [...(ids.get(project) ?? []), id]);
  }
  return ids;
}

/** All at once, as the lanes let them: between two fixtures of a long round others get their turn. */
async function replayAll(
  members: readonly TierFixture[],
  place: RoundPlace,
  options: RoundOptions & Pick<MemberOptions, "tier">,
): Promise<CanaryResult[]> {
  const { outbox, lanes, sender, now, signal } = options;
  let done = 0;
  const ended = await Promise.allSettled(
    members.map((member) =>
      lanes.run(place.everySeconds, async () => {
        const result = signal.aborted ? null : await replayMember(member, options);
        if (result === null) return [];
        await outbox?.add(resultEvent(place, result, sender, now()));
        void outbox?.deliver(signal).catch(() => {});
        options.onResult?.(result, { done: ++done, total: members.length });
        return [result];
      }),
    ),
  );
  // What broke is told when nothing runs any more.
  return ended.flatMap((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

/** Events of a round keep their order, and no two have one time. */
function increasing(now: () => number): () => number {
  let last = 0;
  return () => (last = Math.max(last + 1, now()));
}

const countsOf = (results: readonly CanaryResult[]): CanaryCounts =>
  Object.fromEntries(
    CANARY_OUTCOMES.map((outcome) => [outcome, results.filter((result) => result.outcome === outcome).length]),
  ) as Record<CanaryOutcome, number>;

const startedText = (count: number, missed: number): string =>
  `${count} fixtures${missed === 0 ? "" : `; makes up for ${missed} missed slots`}`;

const endedText = (counts: CanaryCounts, left: number): string =>
  [countsText(counts), ...(left === 0 ? [] : [`${left} fixtures were not done`])].join("; ");

/** `3 passing, 1 failing`. */
export const countsText = (counts: CanaryCounts): string =>
  CANARY_OUTCOMES.flatMap((outcome) => (counts[outcome] > 0 ? [`${counts[outcome]} ${outcome}`] : [])).join(", ") ||
  "no fixtures";
