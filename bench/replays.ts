/**
 * `node bench/replays.ts [--seconds 5] [--json]`: cassette replays of a small agent a second, from the fixture in memory
 * to its verdict, on all cores: in a process forked for each, in processes forked ahead and used once, and in warm
 * processes that load the agent's own modules anew.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { judge } from "../processor/verdict/judge.ts";
import { runFactsFromSpans } from "../processor/evidence/run-facts-from-spans.ts";
import type { Fixture } from "../replay/fixture/fixture-format.ts";
import { createChildPool } from "../replay/sandbox/child-pool.ts";
import { runChild, type ChildRun, type RunChildOptions } from "../replay/sandbox/run-child.ts";
import { worldOfFixture } from "../replay/sandbox/determinism/world-of-fixture.ts";
import { createPlayer } from "../replay/cassette/player.ts";
import { reportAgent } from "../replay/testing/record-run.ts";
import { brokenReportFixture } from "../replay/testing/recorded-fixture.ts";
import { rounded } from "./figures.ts";
import { print } from "./measure.ts";

export interface ReplayRate {
  readonly name: string;
  readonly replaysPerSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
}

type RunReplay = (options: RunChildOptions) => Promise<ChildRun>;

const environment = { PATH: process.env["PATH"] };

/** Replays the fixture over and over, `lanes` at a time. Every verdict is checked: a fast wrong answer counts nothing. */
async function rate(name: string, run: RunReplay, options: { fixture: Fixture; seconds: number; lanes: number }) {
  const { fixture, seconds, lanes } = options;
  const millis: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1_000;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      const start = performance.now();
      await replayOnce(fixture, run);
      millis.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const took = performance.now() - began;
  millis.sort((a, b) => a - b);
  const at = (share: number): number => rounded(millis[Math.floor((millis.length - 1) * share)] ?? 0, 1);
  return {
    name,
    replaysPerSecond: rounded((millis.length / took) * 1_000, 1),
    p50Millis: at(0.5),
    p99Millis: at(0.99),
  };
}

async function replayOnce(fixture: Fixture, run: RunReplay): Promise<void> {
  const player = createPlayer(fixture.cassette);
  const agent = { module: reportAgent, exportName: "broken" };
  const child = await run({ fixture, agent, player, environment, timeoutMillis: 60_000 });
  const runId = child.rows.map((row) => row.SpanAttributes["runproof.run.id"] ?? "").find((id) => id !== "") ?? "";
  const verdict = judge(runFactsFromSpans(runId, child.rows).evidence, fixture.expected.contract);
  if (verdict.failureClass !== fixture.notes.failure_class || player.report().misses.length > 0)
    throw new Error(`a replay went wrong: ${JSON.stringify(child.outcome)} ${JSON.stringify(verdict.reasons)}`);
}

/** Three ways to run the same replay. Lanes: as many at a time as there are cores. */
export async function measureReplays(seconds: number): Promise<ReplayRate[]> {
  const fixture = await brokenReportFixture();
  const lanes = availableParallelism();
  const options = { fixture, seconds, lanes };
  // Else the first replays would wait for processes that fit.
  const { locale } = worldOfFixture(fixture);
  const results = [await rate("forked for each", runChild, options)];
  for (const [name, usesPerChild] of [
    ["forked ahead, used once", 1],
    ["warm, agent's modules anew", 200],
  ] as const) {
    const pool = createChildPool({ size: lanes, usesPerChild, environment, locale });
    try {
      await pool.ready();
      results.push(await rate(name, pool.run, options));
    } finally {
      await pool.close();
    }
  }
  return results;
}

export function printReplays(results: readonly ReplayRate[]): void {
  print(`\nCassette replays of a small agent to their verdict, ${availableParallelism()} at a time`);
  for (const { name, replaysPerSecond, p50Millis, p99Millis } of results)
    print(`  ${name.padEnd(42)}${replaysPerSecond} replays/s, p50 ${p50Millis} ms, p99 ${p99Millis} ms`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: "string", default: "5" }, json: { type: "boolean" } } });
  const results = await measureReplays(Number(values.seconds));
  printReplays(results);
  if (values.json) print(JSON.stringify(results));
}
