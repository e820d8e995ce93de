import { defaultTimeoutMillis, type ReplayOptions } from "../worker/replay-fixture.ts";
import type { ReplayResult } from "../worker/replay-result.ts";
import { replayListing, type SuiteOptions } from "../suite/run-suite.ts";
import type { SuiteEntry } from "../suite/suite-entry.ts";
import { type CanaryOutcome, canaryOutcome, type CanaryReplay, type CanaryState } from "./outcome.ts";
import type { TierFixture } from "./tier-fixtures.ts";
import type { Tier } from "./tier.ts";

/** One fixture of a round. */
export interface CanaryResult {
  readonly fixtureId: string;
  /** Empty when the fixture cannot be read. */
  readonly agentName: string;
  /** Of the run the fixture is made from; empty when unknown. */
  readonly project: string;
  readonly state: CanaryState;
  /** Failure class it protects against; empty when unknown. */
  readonly protects: string;
  readonly outcome: CanaryOutcome;
  /** Why, in a sentence. */
  readonly explanation: string;
  /** `null` when no run was judged. */
  readonly run: { readonly runId: string; readonly traceId: string } | null;
  /** Whether the service took the run. */
  readonly stored: boolean;
  readonly durationMillis: number;
}

export interface MemberOptions extends Pick<SuiteOptions, "agentOf"> {
  readonly replay: Omit<ReplayOptions, "ignore" | "signal" | "mode" | "timeoutMillis">;
  readonly signal: AbortSignal;
  readonly tier: Pick<Tier, "mode" | "timeoutSeconds">;
}

/** Replays one fixture and says what that shows. `null`: it was interrupted. Never rejects. */
export async function replayMember(member: TierFixture, options: MemberOptions): Promise<CanaryResult | null> {
  const { listing, state, reasons } = member;
  const began = performance.now();
  const played = await play(member, options).catch((error: unknown) => `the replay broke: ${String(error)}`);
  if (options.signal.aborted) return null;
  const fixture = listing.reading.ok ? listing.reading.fixture : undefined;
  const told = typeof played === "string" ? played : whyOf(played);
  const result = typeof played === "string" ? null : played.entry.result;
  const end = result === null || fixture === undefined ? "none" : replayEnd(result, defaultTimeoutMillis(fixture));
  const run = result?.run ?? null;
  return {
    fixtureId: listing.id,
    agentName: fixture?.input.agent_name ?? "",
    project: fixture?.notes.source.project ?? "",
    state,
    protects: fixture?.notes.failure_class ?? "",
    outcome: canaryOutcome(state, end),
    explanation: [told, ...reasons].join("; ").slice(0, MAX_EXPLANATION),
    run: run && { runId: run.runId, traceId: run.traceId },
    stored: result?.stored ?? false,
    durationMillis: performance.now() - began,
  };
}

const MAX_EXPLANATION = 4_000;

interface Played {
  readonly entry: SuiteEntry;
  /** Said of the mode, when it is not the one that was asked for. */
  readonly aside?: string;
}

async function play({ listing }: TierFixture, options: MemberOptions): Promise<Played> {
  const { mode, timeoutSeconds } = options.tier;
  const { reading } = listing;
  const own = reading.ok ? defaultTimeoutMillis(reading.fixture) : Infinity;
  const timeoutMillis = Math.min(timeoutSeconds * 1_000, own);
  const inMode = (of: "cassette" | "strict"): Promise<SuiteEntry> =>
    replayListing(listing, { ...options, replay: { ...options.replay, mode: of, timeoutMillis } });
  if (mode === "cassette") return { entry: await inMode("cassette") };
  const entry = await inMode("strict");
  const aside = asideOf(entry, reading.ok ? reading.fixture.notes.certification?.mode : undefined);
  return mode === "strict" || aside === undefined ? { entry } : { entry: await inMode("cassette"), aside };
}

/**
 * Why `strict_if_possible` falls back to `cassette`. A proof is of one mode: an agent that really runs commands passes in
 * the mode it was proven in and is stopped by the wall, which says nothing about the failure the fixture guards against.
 */
function asideOf({ status, explanation }: SuiteEntry, provenIn: string | undefined): string | undefined {
  if (status === "no_wall") return "in mode cassette, because strict is not available here";
  return status === "failed" && provenIn !== "strict" ? `in mode cassette; in mode strict: ${explanation}` : undefined;
}

const whyOf = ({ entry, aside }: Played): string =>
  [entry.result?.explanation ?? entry.explanation, ...(aside === undefined ? [] : [aside])].join("; ");

/** A hang that was recorded may come back as one, if it had the time; any other killed agent shows nothing. */
function replayEnd({ outcome, agent }: ReplayResult, ownMillis: number): CanaryReplay {
  if (agent.type !== "timed_out") return outcome;
  return outcome === "reproduced" && agent.afterMillis >= ownMillis ? outcome : "timed_out";
}
