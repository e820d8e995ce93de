import { resolve } from "node:path";
import { certifyFixture, type CertifyOutcome, type Side } from "../certify/certify-fixture.ts";
import { codeAt } from "../certify/fingerprints.ts";
import { type FixtureOnDisk, readFixtureOnDisk, writeLifeCycle } from "../certify/fixture-on-disk.ts";
import { openRepository } from "../certify/repository.ts";
import { removeLeftOvers } from "../certify/worktree.ts";
import { loadConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { version } from "../version.ts";
import { EXIT, exitCodeOf } from "../worker/exit-codes.ts";
import { agentAtRef, type AgentPlace } from "./agent-at-ref.ts";
import type { AgentFlags } from "./agent-module.ts";
import type { CommandContext } from "./context.ts";
import { modeFrom, replayAtRef, type ReplayAtRefFlags, runsFrom } from "./replay-at-ref.ts";
import { UsageError } from "./run-command-line.ts";

export interface CertifyFlags extends AgentFlags, ReplayAtRefFlags {
  readonly broken: string;
  readonly fixed: string;
  readonly json?: true;
}

const DEFAULT_RUNS = 3;

/** `runproof fixture certify <dir> --broken <ref> --fixed <ref>` */
export async function certify(directory: string, flags: CertifyFlags, context: CommandContext): Promise<number> {
  const mode = modeFrom(flags.mode);
  const runs = runsFrom(flags.runs, DEFAULT_RUNS);
  const loaded = await loadConfig(context.cwd);
  const onDisk = await fixtureOrUsageError(resolve(context.cwd, directory));
  const { fixture, contentSha256 } = onDisk;
  const repository = await openRepository(context.cwd, context.env);
  const place = { repository, loaded, agentName: fixture.input.agent_name, flags };
  const sides = {
    broken: await sideFrom("--broken", flags.broken, place),
    fixed: await sideFrom("--fixed", flags.fixed, place),
  };
  if (isSameCode(sides.broken, sides.fixed)) throw new UsageError("--broken and --fixed name the same code");
  await removeLeftOvers(repository);
  const outcome = await certifyFixture(sides, {
    repository,
    fixtureSha256: contentSha256,
    mode,
    runs,
    runtime: {
      runproof: version(),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    },
    now: () => new Date(),
    replay: replayAtRef(fixture, flags, { context, loaded }),
    onReplay: (side, run, result) =>
      context.stderr.write(`${side} ${run}/${runs}: ${result.outcome}, ${safeLine(result.explanation)}\n`),
    signal: context.signal,
  });
  return await conclude(onDisk, outcome, { flags, context });
}

export async function fixtureOrUsageError(directory: string): Promise<FixtureOnDisk> {
  const reading = await readFixtureOnDisk(directory);
  if (reading.ok) return reading.value;
  const lines = reading.problems.map(({ file, reason }) => `\n  ${safeLine(file)}: ${safeLine(reason)}`);
  throw new UsageError(`the fixture is refused${lines.join("")}`);
}

async function sideFrom(flag: string, text: string, place: AgentPlace): Promise<Side> {
  const agent = await agentAtRef(flag, text, place);
  const code = await codeAt(place.repository, agent.commit, agent);
  if (code !== undefined) return { ...agent, code };
  throw new UsageError(`${flag}: ${agent.commit.slice(0, 12)} has no module ${safeLine(agent.module)}`);
}

const isSameCode = (a: Side, b: Side): boolean =>
  a.commit === b.commit && a.module === b.module && a.exportName === b.exportName;

interface Telling {
  readonly flags: CertifyFlags;
  readonly context: CommandContext;
}

async function conclude(onDisk: FixtureOnDisk, outcome: CertifyOutcome, { flags, context }: Telling): Promise<number> {
  if (outcome.type === "interrupted") return EXIT.interrupted;
  const hasProof = outcome.type === "certified" || outcome.type === "flaky";
  if (hasProof) {
    const { type: state, certification } = outcome;
    const writing = await writeLifeCycle(onDisk, { state, certification });
    if (!writing.ok) throw new Error(`the proof was not written: ${writing.reason}`);
  }
  const { id } = onDisk.fixture;
  const text = sentenceOf(outcome);
  if (flags.json) {
    context.stdout.write(
      safeJson({
        ok: outcome.type === "certified",
        fixture_id: id,
        path: onDisk.path,
        result: outcome.type,
        side: "side" in outcome ? outcome.side : null,
        reason: text,
        certification: hasProof ? outcome.certification : null,
      }),
    );
  } else context.stdout.write(`${outcome.type.toUpperCase()}  ${id}\n  ${safeLine(text, 2_000)}\n`);
  return outcome.type === "certified"
    ? EXIT.ok
    : outcome.type === "errored"
      ? exitCodeOf(outcome.outcome)
      : EXIT.finding;
}

function sentenceOf(outcome: Exclude<CertifyOutcome, { type: "interrupted" }>): string {
  switch (outcome.type) {
    case "certified": {
      const { broken, fixed } = outcome.certification;
      const counts = `${broken.runs} of ${broken.runs} replays failed as recorded on ${broken.ref}`;
      return `${counts}, ${fixed?.runs} of ${fixed?.runs} passed on ${fixed?.ref}`;
    }
    case "flaky":
      return `replays of the ${outcome.side} code differ: ${countsOf(outcome)}`;
    case "refused":
      return outcome.reason;
    case "errored":
      return `the ${outcome.side} code cannot be judged: ${outcome.reason}`;
  }
}

function countsOf({ side, certification }: Extract<CertifyOutcome, { type: "flaky" }>): string {
  const outcomes = Object.entries(certification[side]?.outcomes ?? {});
  return outcomes.map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}
