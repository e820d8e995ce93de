import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import type { PlayerReport } from "../cassette/player.ts";
import type { FixtureNotes } from "../fixture/fixture-format.ts";
import type { ChildOutcome } from "../sandbox/run-child.ts";

/**
 * What a replay shows.
 * - `fixed`: the run ended with a required status. - `reproduced`: it failed as its source run did.
 * - `diverged`: it failed otherwise, or asked for something that was not recorded.
 * - `inconclusive`: the evidence is not enough to say. - `errored`: nothing was judged.
 */
export type ReplayOutcome = "fixed" | "reproduced" | "diverged" | "inconclusive" | "errored";

export interface ReplayResult {
  readonly fixtureId: string;
  readonly mode: "cassette";
  readonly outcome: ReplayOutcome;
  /** Why it is that outcome, in a sentence. */
  readonly explanation: string;
  /** The judged run; `null` when the agent opened none. */
  readonly run: { readonly runId: string; readonly traceId: string; readonly agentName: string } | null;
  readonly verdict: Verdict | null;
  readonly requiredStatus: readonly string[];
  /** The verdict of the source run. */
  readonly observed: FixtureNotes["observed"];
  readonly cassette: PlayerReport;
  /** How the agent's process ended. Decides nothing. */
  readonly agent: ChildOutcome;
  /** Whether the run was handed to the service. */
  readonly stored: boolean;
  /** What a reader should know besides: why it was not stored, a contract that differs from the fixture's. */
  readonly notes: readonly string[];
  /** Last lines of what the agent printed. */
  readonly output: { readonly stdout: string; readonly stderr: string };
}
