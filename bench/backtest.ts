/**
 * `node bench/backtest.ts [runs] [--data-dir <dir>] [--json]`: fills an embedded store with stored runs (default 1,000,000
 * over 30 days, 1 % of them silently wrong), then runs the real `runproof backtest` over them: its rate, its peak memory and
 * the engine's, and whether it finds the planted runs, each for its reason, and no other. A data directory is kept, and used
 * again when it is there.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createClient } from "@clickhouse/client";
import { createEmbeddedEngine } from "../processor/clickhouse/embedded/embedded-engine.ts";
import { createStore } from "../processor/clickhouse/store.ts";
import { AGENT, fillHistory, plantedRuns, SILENT, STRICTER } from "./backtest-history.ts";
import { rounded } from "./figures.ts";
import { print } from "./measure.ts";
import { cpuSeconds, residentMiB } from "./processes.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "data-dir": { type: "string" },
    concurrency: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const runs = Number(positionals[0] ?? 1_000_000);
const work = await mkdtemp(join(tmpdir(), "runproof-backtest-"));
const dataDirectory = values["data-dir"] ?? join(work, "data");
const isThere = (await stat(dataDirectory).catch(() => undefined)) !== undefined;
const engine = createEmbeddedEngine({ dataDirectory, port: 0 });
await engine.start();
try {
  const fillSeconds = isThere ? 0 : await fill();
  const measured = await measure();
  print(values.json ? JSON.stringify({ fillSeconds, ...measured }, null, 2) : textOf({ fillSeconds, ...measured }));
  process.exitCode = measured.isExact ? 0 : 1;
} finally {
  await engine.shutdown();
  await rm(work, { recursive: true, force: true });
}

async function fill(): Promise<number> {
  const began = performance.now();
  const target = { url: engine.url(), ...engine.serviceCredentials() };
  const store = createStore(target);
  await store.migrate();
  await store.close();
  const client = createClient({ ...target, request_timeout: 120_000 });
  await fillHistory(client, { runs, otherRuns: Math.floor(runs / 5), days: 30 });
  await client.close();
  return rounded((performance.now() - began) / 1_000, 1);
}

interface Found {
  readonly type: "finding";
  readonly run_id: string;
  readonly failure_class: string;
}

interface Summary {
  readonly type: "summary";
  readonly runs: number;
  readonly status: Readonly<Record<string, number>>;
  readonly silently_wrong: { readonly runs: number; readonly reasons: Readonly<Record<string, number>> };
  readonly seconds: number;
  readonly runs_per_second: number;
  readonly peak_rss_mib: number;
  readonly threads: number;
}

/** As its users start it, with a line for each finding. */
async function measure() {
  const contract = join(work, "contract.json");
  await writeFile(contract, JSON.stringify(STRICTER));
  const entry = fileURLToPath(new URL("../replay/cli.ts", import.meta.url));
  const more = values.concurrency === undefined ? [] : ["--concurrency", values.concurrency];
  const args = [
    "backtest",
    "--contract",
    contract,
    "--since",
    "31d",
    "--stream",
    "--clickhouse-url",
    engine.url(),
    ...more,
  ];
  const pid = engine.pid() ?? 0;
  const cpu = cpuSeconds(pid);
  let enginePeakMiB = 0;
  const timer = setInterval(() => (enginePeakMiB = Math.max(enginePeakMiB, residentMiB(pid))), 200);
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", entry, ...args], {
    cwd: work,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const planted = new Map(plantedRuns(runs));
  let wrong = 0;
  let summary: Summary | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const document = JSON.parse(line) as Found | Summary;
    if (document.type === "summary") summary = document;
    else if (planted.get(document.run_id) === document.failure_class) planted.delete(document.run_id);
    else wrong++;
  }
  const code = await exited;
  clearInterval(timer);
  if (summary === undefined) throw new Error(`the back-test ended with ${code} and without a summary`);
  return {
    agent: AGENT,
    exitCode: code,
    isExact: wrong === 0 && planted.size === 0 && summary.runs === runs,
    wrong,
    missed: planted.size,
    enginePeakMiB: rounded(enginePeakMiB),
    engineCpuSeconds: rounded(cpuSeconds(pid) - cpu, 1),
    summary,
  };
}

function textOf({
  fillSeconds,
  isExact,
  wrong,
  missed,
  enginePeakMiB,
  engineCpuSeconds,
  summary,
}: Awaited<ReturnType<typeof measure>> & { fillSeconds: number }): string {
  const { seconds, runs_per_second: rate, peak_rss_mib: rss, threads, silently_wrong: silent } = summary;
  return [
    `${summary.runs.toLocaleString("en")} stored runs judged in ${seconds.toFixed(1)} s by ${threads} threads: ${rate.toLocaleString("en")} runs/s`,
    `peak resident: command ${rss} MiB, engine ${enginePeakMiB} MiB; engine CPU ${engineCpuSeconds} s${fillSeconds > 0 ? `; filled in ${fillSeconds} s` : ""}`,
    `silently wrong: ${silent.runs}, of ${SILENT.length} kinds: ${JSON.stringify(silent.reasons)}`,
    isExact
      ? "exactly the planted runs, each for its reason"
      : `NOT the planted runs: ${missed} missed, ${wrong} not planted`,
  ].join("\n");
}
