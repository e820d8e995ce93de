import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStore } from "../../processor/clickhouse/store.ts";
import { writeFixture } from "../fixture/fixture-store.ts";
import { builtFixture } from "../testing/facts.ts";
import { FORGETS_REPORT, makeRepository, type TestRepository, WRITES_REPORT } from "../testing/git-repository.ts";
import { isAlive } from "../testing/is-alive.ts";

/**
 * A service that runs canaries, and a CronJob's command beside it, over a repository with a shipped example, its certified
 * fixture, and an agent that is broken and mended on the way.
 */
let repository: TestRepository;
let temporary: string;
let head: string;
let service: Service | undefined;

interface Service {
  readonly process: ChildProcess;
  /** What it printed. */
  said(): string;
  urlOf(what: string): string;
}

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
const ours = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const MODULE = "agents/researcher.mjs";
const SHIPPED = "missing_artifact_ref";
const HANG_MILLIS = 300_000;

const config = {
  agents: {
    "research-agent": { module: "./examples/research-agent/fixed.ts" },
    researcher: { module: `./${MODULE}` },
  },
  canary: {
    tiers: {
      critical: { every: 3, fixtures: ["missing_report"], states: ["candidate"] },
      broad: { every: "1h" },
      full: false,
    },
    jitter: 0,
  },
};

const environment = () => ({
  PATH: process.env["PATH"],
  TMPDIR: temporary,
  HOME: repository.root,
  RUNPROOF_STATE_DIR: join(temporary, "state"),
  NODE_COMPILE_CACHE: join(temporary, "compile-cache"),
});

beforeAll(async () => {
  temporary = await realpath(await mkdtemp(join(tmpdir(), "runproof-canary-e2e-")));
  repository = await makeRepository();
  await cp(ours("examples/research-agent"), join(repository.root, "examples/research-agent"), { recursive: true });
  await symlink(ours("instrumentation"), join(repository.root, "instrumentation"));
  head = await repository.commit("agents", {
    ".gitignore": "fixtures\ndata\n",
    "runproof.config.mjs": `export default ${JSON.stringify(config)};`,
    [MODULE]: WRITES_REPORT,
  });
  await mkdir(fixtures(), { recursive: true });
  await cp(ours(`fixtures/agent_failure_forensics/${SHIPPED}`), join(fixtures(), SHIPPED), { recursive: true });
  await writeFixture(fixtures(), builtFixture());
});

afterAll(async () => {
  if (service !== undefined) await stop(service);
  await repository.remove();
  await rm(temporary, { recursive: true, force: true });
});

const fixtures = (): string => join(repository.root, "fixtures", "agent_failure_forensics");

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const canary = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { cwd: repository.root, env: environment() };
    execFile(process.execPath, [cli, "canary", ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

async function serve(): Promise<Service> {
  const ports = ["--port", "--grpc-port", "--clickhouse-port", "--admin-port"].flatMap((flag) => [flag, "0"]);
  const child = spawn(process.execPath, [cli, "serve", "--canary", ...ports, "--data-dir", "data"], {
    cwd: repository.root,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const urlOf = (what: string): string => new RegExp(`${what}\\s+(http\\S+)`).exec(said)?.[1] ?? "";
  service = { process: child, said: () => said, urlOf };
  await until(() => /^\s+data /m.test(said));
  return service;
}

async function stop({ process: child }: Service): Promise<number | null> {
  service = undefined;
  if (child.exitCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  return ((await ended) as [number | null])[0];
}

/** Hangs when it never comes true, and the test's limit ends it; rejects when the service has gone. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (service !== undefined && service.process.exitCode !== null) throw new Error(`gone: ${service.said()}`);
    await sleep(50);
  }
}

/** Resolves when a round of the tier has ended as the pattern says, from now on. */
async function roundOf({ said }: Service, tier: string, outcome: string): Promise<void> {
  const from = said().length;
  await until(() => new RegExp(`canaries: ${tier} \\S+: ${outcome}\\n`).test(said().slice(from)));
}

async function rows<Row>(at: Service, sql: string): Promise<Row[]> {
  const store = createStore({ url: at.urlOf("ClickHouse") });
  try {
    return await store.query<Row>(sql);
  } finally {
    await store.close();
  }
}

const EVENTS = `SELECT EventName AS name, LogAttributes['runproof.canary.phase'] AS phase,
  LogAttributes['runproof.canary.tier'] AS tier, LogAttributes['runproof.fixture.id'] AS fixture,
  LogAttributes['runproof.canary.outcome'] AS outcome, LogAttributes['runproof.canary.fixture_state'] AS state,
  LogAttributes['log.record.uid'] AS uid, LogAttributes['runproof.canary.fixtures'] AS fixtures,
  LogAttributes['runproof.run.id'] AS run, TraceId AS trace
  FROM otel_logs WHERE EventName LIKE 'runproof.canary.%' ORDER BY Timestamp`;

interface EventRow {
  readonly name: string;
  readonly phase: string;
  readonly tier: string;
  readonly fixture: string;
  readonly outcome: string;
  readonly state: string;
  readonly uid: string;
  readonly fixtures: string;
  readonly run: string;
}

describe("canaries", { timeout: HANG_MILLIS }, () => {
  test("a round without a service tells what it found, keeps it, and says by its exit code that nobody was told", async () => {
    const ran = await canary("run", "--tier", "broad", "--endpoint", "http://127.0.0.1:9", "--data-dir", "cron");
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/^\d\/2 {2}passing {2}missing_artifact_ref \(certified\)/m);
    expect(ran.stderr).toMatch(/^\d\/2 {2}passing {2}missing_report \(candidate\)/m);
    expect(ran.stderr).toContain("4 events are kept");
    expect(await readdir(join(repository.root, "cron/canary/outbox"))).toHaveLength(4);
  });

  test("inside the service each tier has its rounds, and their runs are canaries in the run store", async () => {
    const at = await serve();
    await roundOf(at, "broad", "2 passing");
    await until(async () => (await canaryRuns(at)).length === 2);
    expect(await canaryRuns(at)).toEqual([
      { fixture_id: SHIPPED, agent_name: "research-agent", status: "passed", code_version: head },
      { fixture_id: "missing_report", agent_name: "researcher", status: "passed", code_version: head },
    ]);
  });

  test("a CronJob's round passes beside it, and sends what was kept: each event is there once", async () => {
    const at = service as Service;
    const endpoint = at.urlOf("OTLP/HTTP");
    const store = at.urlOf("ClickHouse");
    const flags = ["--tier", "broad", "--endpoint", endpoint, "--clickhouse-url", store, "--data-dir", "cron"];
    const ran = await canary("run", ...flags, "--shard", "1/1", "--json");
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ complete: true, unsent_events: 0, unstored_runs: 0 });
    expect(await readdir(join(repository.root, "cron/canary/outbox"))).toEqual([]);
    // Two rounds of the command and one of the service, each with two round events and two results.
    const ofBroad = async () => (await rows<EventRow>(at, EVENTS)).filter(({ tier }) => tier === "broad");
    await until(async () => (await ofBroad()).length >= 12);
    const events = await ofBroad();
    expect(new Set(events.map(({ uid }) => uid)).size).toBe(12);
    expect(events).toHaveLength(12);
    const results = events.filter(({ name }) => name === "runproof.canary.result");
    expect(new Set(results.map((it) => `${it.fixture} ${it.state} ${it.outcome}`))).toEqual(
      new Set([`${SHIPPED} certified passing`, "missing_report candidate passing"]),
    );
    expect(results.every(({ run }) => run !== "")).toBe(true);
    const listed = events.filter(({ phase }) => phase === "started").map(({ fixtures: ids }) => JSON.parse(ids));
    expect(listed).toEqual([1, 2, 3].map(() => [SHIPPED, "missing_report"]));
  });

  test("an agent that breaks makes its fixtures fail, and status shows it", async () => {
    const at = service as Service;
    await repository.commit("broken", { [MODULE]: FORGETS_REPORT });
    await roundOf(at, "critical", "1 failing");
    const status = await canary("status", "--data-dir", "data", "--json");
    expect(JSON.parse(status.stdout)).toMatchObject([
      { tier: "critical", interval_seconds: 3, last_round: { counts: { failing: 1, passing: 0 } } },
      { tier: "broad", interval_seconds: 3600, missed_slots: 0, last_round: { counts: { passing: 2 } } },
    ]);
  });

  test("a signal in the middle of a round ends it, and leaves no process behind", async () => {
    const at = service as Service;
    const pids = join(temporary, "pids");
    await repository.commit("hangs", { [MODULE]: hangingAgent(pids) });
    const started = async (): Promise<number[]> =>
      (await readFile(pids, "utf8").catch(() => "")).split("\n").filter(Boolean).map(Number);
    await until(async () => (await started()).length >= 2);
    expect(await stop(at)).toBe(0);
    expect(at.said()).toMatch(/canaries: critical \S+: interrupted: /);
    const left = (await started()).filter(isAlive);
    expect(left).toEqual([]);
  });

  test("after the down time one round makes up for the slots that went by, and a proof whose code moved is stale", async () => {
    await repository.commit("mended and moved", { "examples/research-agent/notes.md": "", [MODULE]: WRITES_REPORT });
    // Something else than a record: set aside, and the tier is due.
    await writeFile(join(repository.root, "data/canary/broad.json"), "{");
    await sleep(2_000);
    const at = await serve();
    await until(() => /canaries: critical \S+: 1 passing\n/.test(at.said()));
    expect(at.said().match(/critical: one round makes up for \d+ missed slots/g)).toHaveLength(1);
    await until(() => /canaries: broad \S+: 1 passing, 1 stale\n/.test(at.said()));
    expect(at.said()).toContain("broad.json.corrupt");
    await until(async () => (await rows<EventRow>(at, EVENTS)).some(({ phase }) => phase === "interrupted"));
  });
});

interface RunRow {
  readonly fixture_id: string;
  readonly agent_name: string;
  readonly status: string;
  readonly code_version: string;
}

/** Of the fixtures of the first rounds, once they are judged. */
const canaryRuns = (at: Service): Promise<RunRow[]> =>
  rows<RunRow>(
    at,
    `SELECT DISTINCT fixture_id, agent_name, status, code_version FROM runproof_runs FINAL
     WHERE run_type = 'canary' AND status != 'started' ORDER BY fixture_id`,
  );

const hangingAgent = (pids: string): string => `
import { appendFileSync } from "node:fs";
import { spawn } from "node:child_process";
export default () => {
  const it = spawn("sleep", ["300"], { stdio: "ignore" });
  appendFileSync(${JSON.stringify(pids)}, process.pid + "\\n" + it.pid + "\\n");
  return new Promise(() => setInterval(() => {}, 1_000));
};`;
