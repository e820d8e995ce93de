/**
 * `node dist/examples/tau-bench/minimise.js <file> [--json] [--jobs n] [--limit n]`: makes a fixture of every failed
 * recorded τ-bench run, minimises it, and checks the result: it still fails with the same reasons and is 1-minimal.
 */
import { Command } from "commander";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import { type Fixture, parseFixture } from "../../replay/index.ts";
import { fixtureTexts } from "../../replay/fixture/fixture-text.ts";
import { minimiseFixture } from "../../replay/minimise/minimise-fixture.ts";
import { replayFixture } from "../../replay/worker/replay-fixture.ts";
import { type FailedRun, failedRuns } from "./failed-fixtures.ts";

interface Row {
  readonly fixtureId: string;
  /** What went wrong; empty when all is as it must be. */
  readonly problem: string;
  /** Share of the canonical content that is gone, 0 to 1. */
  readonly cut: number;
  readonly bytes: number;
  readonly replays: number;
  readonly seconds: number;
}

const AGENT = new URL(import.meta.url.endsWith(".ts") ? "./airline-agent.ts" : "./airline-agent.js", import.meta.url);
const agent = { module: AGENT.href, exportName: "default" };

await new Command("tau-minimise")
  .argument("<file>", "recorded runs, JSON")
  .option("--json", "end with one line of JSON")
  .option("--jobs <count>", "candidates replayed at the same time", "2")
  .option("--limit <count>", "only the first so many failed runs")
  .option("--only <fixture_id>", "only this one, tau-airline-<task>-<attempt>")
  .action(main)
  .parseAsync();

interface Flags {
  readonly json?: true;
  readonly jobs: string;
  readonly limit?: string;
  readonly only?: string;
}

async function main(file: string, flags: Flags): Promise<void> {
  const runs = (await failedRuns(file))
    .filter(({ fixture }) => flags.only === undefined || fixture.id === flags.only)
    .slice(0, Number(flags.limit ?? Number.POSITIVE_INFINITY));
  const rows: Row[] = [];
  for (const run of runs) {
    const row = await minimised(run, Number(flags.jobs));
    rows.push(row);
    const cut = `${(row.cut * 100).toFixed(1)} % cut to ${row.bytes} bytes`;
    console.error(`${row.fixtureId}: ${row.problem || `${cut}, ${row.replays} replays, ${row.seconds.toFixed(1)} s`}`);
  }
  const figures = (of: (row: Row) => number): Record<string, number> =>
    Object.fromEntries([10, 50, 90, 100].map((percent) => [`p${percent}`, percentile(rows.map(of), percent)]));
  const summary = {
    failed_runs: runs.length,
    problems: rows.filter(({ problem }) => problem !== "").length,
    cut_percent: figures(({ cut }) => cut * 100),
    bytes_after: figures(({ bytes }) => bytes),
    replays: figures(({ replays }) => replays),
    seconds: figures(({ seconds }) => seconds),
  };
  console.log(flags.json ? JSON.stringify(summary) : JSON.stringify(summary, null, 2));
  if (summary.problems > 0) process.exitCode = 1;
}

async function minimised({ fixture, verdict }: FailedRun, jobs: number): Promise<Row> {
  const began = performance.now();
  const found = await minimiseFixture(fixture, {
    agent,
    fixtureId: `${fixture.id}_min`,
    environment: process.env,
    jobs,
  });
  const seconds = (performance.now() - began) / 1_000;
  const none = { fixtureId: fixture.id, cut: 0, bytes: 0, replays: 0, seconds };
  if (found.type !== "minimised") return { ...none, problem: found.type };
  const { bytes } = found.fixture.notes.minimised ?? { bytes: { before: 1, after: 1 } };
  return {
    ...none,
    problem: (await problemOf(found.fixture, verdict)) || (found.isOneMinimal ? "" : "not 1-minimal"),
    cut: 1 - bytes.after / bytes.before,
    bytes: bytes.after,
    replays: found.replayed,
  };
}

/** From its files, as anybody would read it, strictly and in a fresh process; beside the verdict on the recorded run. */
async function problemOf(smaller: Fixture, recorded: Verdict): Promise<string> {
  const reading = parseFixture(smaller.id, fixtureTexts(smaller));
  if (!reading.ok) return `refused: ${reading.problems[0]?.reason}`;
  const after = await replayFixture(reading.fixture, agent, { environment: process.env, storeUrl: null });
  if (after.outcome !== "reproduced" || after.verdict === null) return `${after.outcome}: ${after.explanation}`;
  const [was, is] = [reasonsOf(recorded), reasonsOf(after.verdict)];
  return was === is ? "" : `other reasons: ${is} instead of ${was}`;
}

function reasonsOf({ reasons }: Verdict): string {
  return canonicalJson([...new Set(reasons.map(({ code, clause }) => `${code} ${clause}`))].sort());
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  return Math.round(value * 10) / 10;
}
