import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import type { PlayerReport } from "../cassette/player.ts";
import type { FixtureNotes } from "../fixture/fixture-format.ts";
import type { ChildOutcome, ChildRun, ReplayMode } from "../sandbox/run-child.ts";

/**
 * What a replay shows.
 * - `fixed`: the run ended with a required status. - `reproduced`: it failed as its source run did.
 * - `diverged`: it failed otherwise, or asked for something that was not recorded.
 * - `inconclusive`: the evidence is not enough to say. - `errored`: nothing was judged.
 * - `refused`: strict mode, and no wall stands on this machine; no code of the agent was started.
 */
export type ReplayOutcome = "fixed" | "reproduced" | "diverged" | "inconclusive" | "errored" | "refused";

/** The run a replay judged, and what it said of itself: the fingerprints of a certificate are made of it. */
export interface ReplayedRun {
  readonly runId: string;
  readonly traceId: string;
  readonly agentName: string;
  readonly model: string;
  readonly promptVersion: string;
  /** As in the run record: the tools its own contract allows. */
  readonly toolAllowlist: readonly string[];
}

export interface ReplayResult {
  readonly fixtureId: string;
  readonly mode: ReplayMode;
  readonly outcome: ReplayOutcome;
  /** Why it is that outcome, in a sentence. */
  readonly explanation: string;
  /** The judged run; `null` when the agent opened none. */
  readonly run: ReplayedRun | null;
  readonly verdict: Verdict | null;
  readonly requiredStatus: readonly string[];
  /** The verdict of the source run. */
  readonly observed: FixtureNotes["observed"];
  readonly cassette: PlayerReport;
  /** The same for all replays in which the agent asked, was told and left behind the same. 64 hex digits. */
  readonly transcriptSha256: string;
  /** How the agent's process ended. Decides nothing. */
  readonly agent: ChildOutcome;
  /** Mode `strict`: the wall, and everything the agent tried that was not recorded. */
  readonly strict?: ChildRun["strict"];
  /** Mode `live`: calls that really happened. */
  readonly liveCalls?: ChildRun["liveCalls"];
  /** Whether the run was handed to the service. */
  readonly stored: boolean;
  /** What a reader should know besides: why it was not stored, a contract that differs from the fixture's. */
  readonly notes: readonly string[];
  /** Last lines of what the agent printed. */
  readonly output: { readonly stdout: string; readonly stderr: string };
}
