import type { AgentModule } from "../sandbox/run-child.ts";
import type { ReplayOutcome, ReplayResult } from "../worker/replay-result.ts";
import { type Look, bisectSearch } from "./bisect-search.ts";
import { summariseSide } from "./replay-side.ts";
import { type CommitInfo, commitInfo, type Repository } from "./repository.ts";
import { type AgentAtCommit, withWorktree } from "./worktree.ts";

export interface BisectOptions {
  readonly repository: Repository;
  /** Commits by id. */
  readonly good: string;
  readonly bad: string;
  readonly agent: Omit<AgentAtCommit, "commit">;
  /** Replays of each commit; they must agree for it to count. */
  readonly runs: number;
  readonly replay: (agent: AgentModule) => Promise<ReplayResult>;
  readonly onCommit?: (tested: TestedCommit) => void;
  readonly signal: AbortSignal;
}

export interface TestedCommit {
  readonly commit: string;
  readonly outcome: ReplayOutcome | "flaky";
  readonly explanation: string;
}

export type BisectOutcome =
  | { readonly type: "found"; readonly commit: CommitInfo; readonly tested: readonly TestedCommit[] }
  /** Commits between the last good and the first bad one cannot be judged. */
  | { readonly type: "range"; readonly suspects: readonly CommitInfo[]; readonly tested: readonly TestedCommit[] }
  /** The ends are not what the user says they are. */
  | { readonly type: "refused"; readonly reason: string; readonly tested: readonly TestedCommit[] }
  | { readonly type: "interrupted" };

const MAX_COMMITS = 100_000;

/**
 * Finds the first commit, along first parents, whose replay fails. A failure is what the bad end shows: the recorded one,
 * or where that end diverges, any. Commits whose agent cannot be judged are walked round.
 */
export async function bisectFixture(options: BisectOptions): Promise<BisectOutcome> {
  const commits = await commitsBetween(options);
  if (typeof commits === "string") return { type: "refused", reason: commits, tested: [] };
  const tested: TestedCommit[] = [];
  const test = async (commit: string): Promise<TestedCommit> => {
    const result = await testCommit(commit, options);
    tested.push(result);
    if (!options.signal.aborted) options.onCommit?.(result);
    return result;
  };
  const good = await test(options.good);
  if (options.signal.aborted) return { type: "interrupted" };
  if (good.outcome !== "fixed") return { type: "refused", reason: endProblem("good", "pass", good), tested };
  const bad = await test(options.bad);
  if (options.signal.aborted) return { type: "interrupted" };
  const failing: readonly string[] = bad.outcome === "diverged" ? ["reproduced", "diverged"] : ["reproduced"];
  if (!failing.includes(bad.outcome)) return { type: "refused", reason: endProblem("bad", "fail", bad), tested };
  const { suspects } = await bisectSearch(commits.length, async (place): Promise<Look> => {
    // Nothing is tested after an interrupt; the search runs out of places.
    if (options.signal.aborted) return "skip";
    const { outcome } = await test(commits[place] ?? "");
    return outcome === "fixed" ? "good" : failing.includes(outcome) ? "bad" : "skip";
  });
  if (options.signal.aborted) return { type: "interrupted" };
  const infos: CommitInfo[] = [];
  for (const place of suspects) infos.push(await commitInfo(options.repository, commits[place] ?? ""));
  const [first] = infos;
  return first !== undefined && infos.length === 1
    ? { type: "found", commit: first, tested }
    : { type: "range", suspects: infos, tested };
}

/** After `good` up to `bad`, oldest first; or why there are none. */
async function commitsBetween({ repository: { git }, good, bad }: BisectOptions): Promise<readonly string[] | string> {
  if (good === bad) return "--good and --bad are the same commit";
  const isAncestor = await git.run(["merge-base", "--is-ancestor", good, bad]);
  if (!isAncestor.ok) return "--good is not an ancestor of --bad: nothing lies between them";
  const list = await git.run([
    "rev-list",
    "--first-parent",
    "--reverse",
    `--max-count=${MAX_COMMITS}`,
    bad,
    `^${good}`,
  ]);
  const commits = list.stdout.split("\n").filter((line) => line !== "");
  if (commits.length === MAX_COMMITS) return `more than ${MAX_COMMITS} commits lie between them`;
  return list.ok && commits.at(-1) === bad ? commits : `git cannot list the commits between them: ${list.stderr}`;
}

async function testCommit(commit: string, options: BisectOptions): Promise<TestedCommit> {
  const { repository, agent, runs, replay, signal } = options;
  const results: ReplayResult[] = [];
  const checkout = await withWorktree(
    repository,
    { ...agent, commit },
    async (module) => {
      for (let run = 0; run < runs && !signal.aborted; run++) results.push(await replay(module));
    },
    signal,
  );
  if (!checkout.ok) return { commit, outcome: "errored", explanation: checkout.reason };
  const summary = summariseSide(results);
  if (summary.type === "unjudged") return { commit, outcome: summary.outcome, explanation: summary.explanation };
  if (summary.type === "flaky") return { commit, outcome: "flaky", explanation: "its replays differ" };
  return { commit, outcome: summary.outcome, explanation: results[0]?.explanation ?? "" };
}

const endProblem = (end: "good" | "bad", should: string, { commit, outcome, explanation }: TestedCommit): string =>
  `--${end} (${commit.slice(0, 12)}) does not ${should}: ${outcome}, ${explanation}`;
