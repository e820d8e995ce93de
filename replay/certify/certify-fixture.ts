import type { Certification, CertifiedCode, CertifiedSide } from "../fixture/certificate-format.ts";
import type { AgentModule } from "../sandbox/run-child.ts";
import type { ReplayResult } from "../worker/replay-result.ts";
import { fingerprintsOf, type Runtime } from "./fingerprints.ts";
import { countOutcomes, summariseSide } from "./replay-side.ts";
import type { Repository } from "./repository.ts";
import { type AgentAtCommit, withWorktree } from "./worktree.ts";

export type SideName = "broken" | "fixed";

/** One side of a certification: the ref as the user gave it, and what it is. */
export interface Side extends AgentAtCommit {
  readonly ref: string;
  readonly code: CertifiedCode;
}

export interface CertifyOptions {
  readonly repository: Repository;
  readonly fixtureSha256: string;
  readonly mode: string;
  /** Replays on each side. */
  readonly runs: number;
  readonly runtime: Runtime;
  readonly now: () => Date;
  /** Replays the fixture with this code; outcomes are data. */
  readonly replay: (agent: AgentModule) => Promise<ReplayResult>;
  readonly onReplay?: (side: SideName, run: number, result: ReplayResult) => void;
  readonly signal: AbortSignal;
}

export type CertifyOutcome =
  | { readonly type: "certified"; readonly certification: Certification }
  | { readonly type: "flaky"; readonly side: SideName; readonly certification: Certification }
  /** The code does not behave as a proof demands. */
  | { readonly type: "refused"; readonly side: SideName; readonly reason: string }
  /** Nothing could be said: the code could not be checked out or run. */
  | {
      readonly type: "errored";
      readonly side: SideName;
      readonly outcome: "errored" | "refused";
      readonly reason: string;
    }
  | { readonly type: "interrupted" };

const DEMANDED = { broken: "reproduced", fixed: "fixed" } as const;

/**
 * Replays a fixture on the broken and on the fixed code, each checked out from git, and demands the recorded failure each
 * time from the one and a required status each time from the other (spec B7). A passing broken ref ends it at once: the
 * fixture does not guard what it says it guards.
 */
export async function certifyFixture(
  sides: Readonly<Record<SideName, Side>>,
  options: CertifyOptions,
): Promise<CertifyOutcome> {
  const broken = await replaySide("broken", sides.broken, options);
  if (broken.type !== "shown") return broken;
  const header = {
    mode: options.mode,
    fixture_sha256: options.fixtureSha256,
    runtime: options.runtime,
    certified_at: options.now().toISOString(),
  };
  if (broken.isFlaky) {
    const certification = { result: "flaky", ...header, broken: broken.side, fixed: null } as const;
    return { type: "flaky", side: "broken", certification };
  }
  const fixed = await replaySide("fixed", sides.fixed, options);
  if (fixed.type !== "shown") return fixed;
  const proof = { ...header, certified_at: options.now().toISOString(), broken: broken.side, fixed: fixed.side };
  if (fixed.isFlaky) return { type: "flaky", side: "fixed", certification: { result: "flaky", ...proof } };
  const fingerprints = fingerprintsOf(sides.fixed.code, fixed.results);
  return { type: "certified", certification: { result: "certified", ...proof, fingerprints } };
}

type SideShown =
  | {
      readonly type: "shown";
      readonly isFlaky: boolean;
      readonly side: CertifiedSide;
      readonly results: readonly ReplayResult[];
    }
  | Extract<CertifyOutcome, { type: "refused" | "errored" | "interrupted" }>;

async function replaySide(name: SideName, side: Side, options: CertifyOptions): Promise<SideShown> {
  const results: ReplayResult[] = [];
  const checkout = await withWorktree(
    options.repository,
    side,
    async (agent) => {
      for (let run = 1; run <= options.runs && !options.signal.aborted; run++) {
        const result = await options.replay(agent);
        if (options.signal.aborted) return;
        results.push(result);
        options.onReplay?.(name, run, result);
      }
    },
    options.signal,
  );
  if (options.signal.aborted) return { type: "interrupted" };
  if (!checkout.ok) return { type: "errored", side: name, outcome: "errored", reason: checkout.reason };
  const summary = summariseSide(results);
  if (summary.type === "unjudged") {
    return { type: "errored", side: name, outcome: summary.outcome, reason: summary.explanation };
  }
  if (summary.type === "steady" && summary.outcome !== DEMANDED[name]) {
    return { type: "refused", side: name, reason: refusalOf(name, side, results) };
  }
  return { type: "shown", isFlaky: summary.type === "flaky", side: certifiedSide(side, results), results };
}

function refusalOf(name: SideName, { ref, code }: Side, results: readonly ReplayResult[]): string {
  const where = `${ref} (${code.commit.slice(0, 12)}, ${code.module})`;
  const [first] = results;
  if (name === "broken" && first?.outcome === "fixed") {
    return `the broken ref ${where} passes: the fixture does not show the failure there`;
  }
  const wanted = name === "broken" ? "does not show the recorded failure" : "does not pass";
  return `the ${name} ref ${where} ${wanted}: ${first?.outcome}, ${first?.explanation}`;
}

/** All replays that say the same in the same words have one transcript. */
function certifiedSide({ ref, code }: Side, results: readonly ReplayResult[]): CertifiedSide {
  const transcripts = new Set(results.map((result) => result.transcriptSha256));
  const [only] = transcripts.size === 1 ? transcripts : [];
  return {
    ref,
    ...code,
    runs: results.length,
    outcomes: countOutcomes(results),
    transcript_sha256: only ?? null,
  };
}
