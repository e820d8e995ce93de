/**
 * `npm run tau -- <file> [--json]`: plays recorded τ-bench runs against a service of its own, compares the verdicts with
 * the benchmark's ground truth, makes a fixture of every failed run from the store alone and replays it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { createRunStore } from "../../processor/clickhouse/run-store.ts";
import { createStore, type Store } from "../../processor/clickhouse/store.ts";
import { loadServiceConfig, startService } from "../../processor/index.ts";
import { loadRecordedRuns } from "./recorded-run.ts";
import { checkReplay, type ReplayCheck } from "./replays.ts";
import { agrees, compare, comparisonTable } from "./report.ts";
import { runPlayer } from "./run-player.ts";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
const progress = (text: string): void =>
  void process.stderr.write(process.stderr.isTTY ? `\r\u001B[2K${text}` : `${text}\n`);

await new Command("tau")
  .argument("<file>", "recorded runs, JSON")
  .option("--json", "end with one line of JSON instead of the table")
  .option("--keep", "keep the service's data and the fixtures, and say where they are")
  .action(main)
  .parseAsync();

async function main(file: string, flags: { json?: true; keep?: true }): Promise<void> {
  const recorded = await loadRecordedRuns(file);
  const work = await mkdtemp(join(tmpdir(), "runproof-tau-"));
  const config = loadServiceConfig(
    {},
    { otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: "off", dataDirectory: join(work, "data") },
  );
  const service = await startService(config, { log: progress });
  const store = createStore({ url: service.clickhouseUrl });
  try {
    const exitCode = await runPlayer({
      file: resolve(file),
      otlpUrl: service.otlpUrl,
      stateDirectory: join(work, "state"),
      onPlayed: (played, of) => played % 10 === 0 && progress(`played ${played} of ${of} runs`),
    });
    await service.idle();
    const runs = createRunStore(store);
    const rows = await runs.currentRuns({ agent: "tau-airline", type: "live", limit: 10_000 });
    // A process that fails says so of every run in it; this one ended with 0.
    const flagged = new Set(exitCode === 0 ? await runsWithErrorStatus(store) : rows.map((row) => row.run_id));
    const comparisons = compare(recorded, rows, flagged);
    const failed = rows.filter((row) => row.status === "failed");
    const checks = await inParallel(failed, (row, index) => {
      if (index % 10 === 9) progress(`replayed ${index + 1} of ${failed.length} failed runs`);
      const fixturesDirectory = join(work, "fixtures");
      return checkReplay(row, { runs, otlpUrl: service.otlpUrl, fixturesDirectory, signal: stop.signal });
    });
    await service.idle();
    const replays = await runs.currentRuns({ agent: "tau-airline", type: "replay", limit: 10_000 });
    progress("");
    const summary = {
      runs: rows.length,
      agree: comparisons.filter(agrees).length,
      flagged_by_status: comparisons.filter((one) => one.flaggedByStatus).length,
      failed: failed.length,
      fixtures: checks.filter((check) => check.refusal === null).length,
      replays_same: checks.filter((check) => check.same).length,
      replays_stored: replays.length,
    };
    if (flags.json) console.log(JSON.stringify(summary));
    else console.log(`${comparisonTable(comparisons)}\n\n${replayTable(checks, summary)}`);
    if (recorded.length !== rows.length || summary.replays_same !== failed.length) process.exitCode = 1;
  } finally {
    await store.close();
    await service.shutdown();
    if (flags.keep) console.error(`kept in ${work}`);
    else await rm(work, { recursive: true, force: true });
  }
}

/** Runs whose root span ended with an error, the only thing a status-based monitor looks at. */
async function runsWithErrorStatus(store: Store): Promise<string[]> {
  const rows = await store.query<{ RunId: string }>(
    "SELECT RunId FROM otel_traces WHERE RunEvent = 'run' AND StatusCode = 'Error'",
  );
  return rows.map((row) => row.RunId);
}

/** Two at a time: a replay is a process of its own, and a laptop has other things to do. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length && !stop.signal.aborted) {
      const index = next++;
      results[index] = await work(items[index] as Item, index);
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}

function replayTable(checks: readonly ReplayCheck[], summary: Readonly<Record<string, number>>): string {
  const others = checks.filter((check) => !check.same).map((check) => `  run ${check.runId}: ${check.detail}`);
  const line = `failed runs ${summary["failed"]}, fixtures ${summary["fixtures"]}, replays with the same verdict and reasons ${summary["replays_same"]}`;
  return [line, ...others].join("\n");
}
