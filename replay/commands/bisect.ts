import { resolve } from "node:path";
import { bisectFixture, type BisectOutcome, type TestedCommit } from "../certify/bisect-fixture.ts";
import { type CommitInfo, openRepository } from "../certify/repository.ts";
import { removeLeftOvers } from "../certify/worktree.ts";
import { loadConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import { agentAtRef } from "./agent-at-ref.ts";
import { fixtureOrUsageError } from "./certify.ts";
import type { AgentFlags } from "./agent-module.ts";
import type { CommandContext } from "./context.ts";
import { replayAtRef, type ReplayAtRefFlags, runsFrom } from "./replay-at-ref.ts";
import { UsageError } from "./run-command-line.ts";

export interface BisectFlags extends AgentFlags, ReplayAtRefFlags {
  readonly good: string;
  readonly bad: string;
  readonly json?: true;
}

/** `runproof fixture bisect <dir> --good <ref> --bad <ref>` */
export async function bisect(directory: string, flags: BisectFlags, context: CommandContext): Promise<number> {
  const runs = runsFrom(flags.runs, 1);
  const loaded = await loadConfig(context.cwd);
  const { fixture } = await fixtureOrUsageError(resolve(context.cwd, directory));
  const repository = await openRepository(context.cwd, context.env);
  const place = { repository, loaded, agentName: fixture.input.agent_name, flags };
  const good = await agentAtRef("--good", flags.good, place);
  const bad = await agentAtRef("--bad", flags.bad, place);
  if (good.module !== bad.module)
    throw new UsageError("--good and --bad name different modules; give one with --agent");
  await removeLeftOvers(repository);
  const outcome = await bisectFixture({
    repository,
    good: good.commit,
    bad: bad.commit,
    agent: bad,
    runs,
    replay: replayAtRef(fixture, flags, { context, loaded }),
    onCommit: (tested) => context.stderr.write(`${lineOf(tested)}\n`),
    signal: context.signal,
  });
  if (outcome.type === "interrupted") return EXIT.interrupted;
  context.stdout.write(flags.json ? safeJson(bisectJson(fixture.id, outcome)) : bisectText(outcome));
  return EXIT_BY_OUTCOME[outcome.type];
}

type Concluded = Exclude<BisectOutcome, { type: "interrupted" }>;

const EXIT_BY_OUTCOME: Record<Concluded["type"], number> = {
  found: EXIT.ok,
  range: EXIT.inconclusive,
  refused: EXIT.finding,
};

const lineOf = ({ commit, outcome, explanation }: TestedCommit): string =>
  `${commit.slice(0, 12)}: ${outcome}, ${safeLine(explanation)}`;

const bisectJson = (fixtureId: string, outcome: Concluded) => ({
  fixture_id: fixtureId,
  result: outcome.type,
  first_bad: outcome.type === "found" ? commitJson(outcome.commit) : null,
  suspects: outcome.type === "range" ? outcome.suspects.map(commitJson) : [],
  reason: outcome.type === "refused" ? outcome.reason : null,
  tested: outcome.tested,
});

const commitJson = ({ commit, subject, author, authorDate }: CommitInfo) => ({
  commit,
  subject,
  author,
  author_date: authorDate,
});

function bisectText(outcome: Concluded): string {
  const commitLine = ({ commit, subject, author, authorDate }: CommitInfo): string =>
    `${commit}\n  ${safeLine(subject)}\n  ${safeLine(author)}, ${safeLine(authorDate)}\n`;
  switch (outcome.type) {
    case "found":
      return `the first commit that fails is ${commitLine(outcome.commit)}`;
    case "range":
      return `one of these fails first; those before the last cannot be judged:\n${outcome.suspects.map(commitLine).join("")}`;
    case "refused":
      return `nothing to find: ${safeLine(outcome.reason, 2_000)}\n`;
  }
}
