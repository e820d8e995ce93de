import type { IgnoreRule } from "../cassette/cassette.ts";
import type { FixtureListing } from "../fixture/fixture-store.ts";
import type { AgentModule } from "../sandbox/run-child.ts";
import { replayFixture, type ReplayOptions, type RunAgent } from "../worker/replay-fixture.ts";
import { claimedState, judgedEntry, type SuiteEntry } from "./suite-entry.ts";

/** The code that a fixture's agent is replayed with. */
export interface SuiteAgent {
  readonly agent: AgentModule;
  readonly ignore: readonly IgnoreRule[];
  /** For an agent that is no module. */
  readonly runAgent?: RunAgent;
}

export interface SuiteOptions {
  /** Replays at the same time. */
  readonly jobs: number;
  /** The code of an agent by its name, or why there is none. */
  readonly agentOf: (agentName: string) => SuiteAgent | { readonly problem: string };
  readonly replay: Omit<ReplayOptions, "ignore" | "signal">;
  /** Ends replays under way and starts no others; those are `skipped`. */
  readonly signal?: AbortSignal;
  /** Called as each fixture is done, in the order they end. */
  readonly onEntry?: (entry: SuiteEntry) => void;
}

/** Replays fixtures, `jobs` at a time. Entries come back in the order of the listings. Rejects only for defects. */
export async function runSuite(listings: readonly FixtureListing[], options: SuiteOptions): Promise<SuiteEntry[]> {
  const entries: SuiteEntry[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < listings.length; at = next++) {
      const listing = listings[at] as FixtureListing;
      const entry = await replayListing(listing, options);
      entries[at] = entry;
      options.onEntry?.(entry);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs, listings.length) }, lane));
  return entries;
}

/** One fixture of a suite: read, replayed unless there is a reason not to, and judged. */
export async function replayListing(
  listing: FixtureListing,
  options: Pick<SuiteOptions, "agentOf" | "replay" | "signal">,
): Promise<SuiteEntry> {
  const { id: fixtureId, path, reading } = listing;
  const began = performance.now();
  if (!reading.ok) {
    const explanation = reading.problems.map(({ file, reason }) => `${file}: ${reason}`).join("; ");
    return { ...NOTHING, fixtureId, path, agentName: "", state: "unreadable", status: "refused", explanation };
  }
  const { fixture } = reading;
  const state = claimedState(fixture.notes);
  const about = { ...NOTHING, fixtureId, path, agentName: fixture.input.agent_name, state };
  if (state === "retired") return { ...about, status: "skipped", explanation: retiredBecause(fixture.notes) };
  if (options.signal?.aborted === true) return { ...about, ...INTERRUPTED };
  const code = options.agentOf(fixture.input.agent_name);
  if ("problem" in code) return { ...about, status: "errored", explanation: code.problem };
  const { signal } = options;
  const result = await replayFixture(fixture, code.agent, {
    ...options.replay,
    ignore: code.ignore,
    ...(code.runAgent && { runAgent: code.runAgent }),
    ...(signal && { signal }),
  });
  if (signal?.aborted === true) return { ...about, ...INTERRUPTED };
  return { ...about, ...judgedEntry(state, result), result, durationMillis: performance.now() - began };
}

const NOTHING = { result: null, durationMillis: 0 } as const;
const INTERRUPTED = { status: "skipped", explanation: "interrupted before it was done" } as const;

const retiredBecause = ({ retirement }: { readonly retirement?: { readonly reason: string } | undefined }): string =>
  retirement === undefined ? "the fixture is retired" : `the fixture is retired: ${retirement.reason}`;
