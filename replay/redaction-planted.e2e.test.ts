import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  PLANTED_KINDS,
  plantedSecrets,
  type PlantedSecret,
} from "../instrumentation/capture/testing/planted-secrets.ts";
import type { Verdict } from "../instrumentation/contract/verdict.ts";
import { ATTR_RUN_ID } from "../instrumentation/semconv.ts";
import { createRunStore } from "../processor/clickhouse/run-store.ts";
import { createStore } from "../processor/clickhouse/store.ts";
import { runFactsFromSpans } from "../processor/evidence/run-facts-from-spans.ts";
import { judge } from "../processor/verdict/judge.ts";
import { readStoredRun, type StoredRun } from "./commands/stored-run.ts";
import { buildFixture } from "./fixture/build-fixture.ts";
import { writeFixture } from "./fixture/fixture-store.ts";
import { openOtlpTap } from "./sandbox/otlp-tap.ts";
import { SECRET_PLACES, type SecretiveCase, type SecretsOfRun } from "./testing/agents/secretive-agent.ts";

/**
 * The promise of spec A9, whole: secrets in every place text can come from, through the agent's process, the service and
 * its real engine, fixtures, replays and the output of every program. None is found raw, and nothing else changes.
 */

const CASES = Math.ceil(1_000 / SECRET_PLACES.length);
const EXPECTATIONS = ["argument", "state", "file", "answer"] as const;

let folder: string;
let service: ChildProcess;
let otlpUrl = "";
let clickhouseUrl = "";
/** Everything the service and the programs printed. */
let printed = "";
let stored: StoredRun[] = [];

const planted = plantedSecrets(CASES * SECRET_PLACES.length, "planted");
const others = plantedSecrets(planted.length, "expected");
const fixtures = () => join(folder, "fixtures");

/** Every second run is given what its contract expects; of the others one expectation is another secret of the kind. */
const cases: readonly SecretiveCase[] = Array.from({ length: CASES }, (_, n) => {
  const at = (list: readonly PlantedSecret[], place: (typeof SECRET_PLACES)[number]): string =>
    list[n * SECRET_PLACES.length + SECRET_PLACES.indexOf(place)]?.text ?? "";
  const secrets = Object.fromEntries(SECRET_PLACES.map((place) => [place, at(planted, place)])) as SecretsOfRun;
  const wrong = n % 2 === 1 ? EXPECTATIONS[((n - 1) / 2) % EXPECTATIONS.length] : undefined;
  const expected = Object.fromEntries(
    EXPECTATIONS.map((place) => [place, place === wrong ? at(others, place) : secrets[place]]),
  ) as SecretiveCase["expected"];
  return { secrets, expected };
});

const script = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Runs all cases in a process of their own that sends to `endpoint`. */
async function record(endpoint: string, mode: "redacted" | "plain"): Promise<void> {
  const cwd = await mkdtemp(join(folder, `${mode}-`));
  const state = mode === "plain" ? join(cwd, "state") : join(folder, "state");
  const env = { PATH: process.env["PATH"], SECRETS_FILE: join(folder, "secrets.json"), RUNPROOF_ENDPOINT: endpoint };
  await promisify(execFile)(process.execPath, [script("./testing/record-secrets.ts"), mode], {
    cwd,
    env: { ...env, RUNPROOF_STATE_DIR: state },
  });
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
}

function run(program: "cli" | "agent-replay", ...args: readonly string[]): Promise<Ran> {
  const env = {
    PATH: process.env["PATH"],
    RUNPROOF_CLICKHOUSE_URL: clickhouseUrl,
    RUNPROOF_ENDPOINT: otlpUrl,
    RUNPROOF_STATE_DIR: join(folder, "state"),
    SECRETS_FILE: join(folder, "secrets.json"),
  };
  const options = { cwd: folder, env, maxBuffer: 256 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, [script(`./${program}.ts`), ...args], options, (error, stdout, stderr) => {
      printed += stdout + stderr;
      resolve({ code: error === null ? 0 : Number(error.code), stdout });
    });
  });
}

async function startService(): Promise<void> {
  const ports = ["--port", "--grpc-port", "--clickhouse-port", "--admin-port"].flatMap((flag) => [flag, "0"]);
  const args = [script("./cli.ts"), "serve", ...ports, "--data-dir", "data", "--auto-fixtures", "auto"];
  service = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
  service.stderr?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  for await (const line of createInterface({ input: service.stdout as NodeJS.ReadableStream })) {
    printed += `${line}\n`;
    otlpUrl ||= /OTLP\/HTTP\s+(\S+)/.exec(line)?.[1] ?? "";
    clickhouseUrl ||= /ClickHouse\s+(\S+)/.exec(line)?.[1] ?? "";
    if (/^\s+data /.test(line)) break;
  }
  service.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
}

async function judgedRuns(): Promise<StoredRun[]> {
  const store = createStore({ url: clickhouseUrl });
  try {
    const runs = createRunStore(store);
    for (let tries = 0; tries < 240; tries++) {
      const rows = await runs.currentRuns({ agent: "secretive", type: "live", limit: 10_000 });
      if (rows.length === CASES && rows.every((row) => row.status !== "started")) {
        const all = await Promise.all(rows.map((row) => readStoredRun(runs, row.run_id)));
        return all.flatMap((one) => (one === undefined ? [] : [one]));
      }
      await sleep(250);
    }
    throw new Error(`the runs were not judged; printed: ${printed}`);
  } finally {
    await store.close();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-planted-test-"));
  await mkdir(join(folder, ".git"));
  await writeFile(join(folder, "secrets.json"), JSON.stringify(cases));
  const agent = { module: script("./testing/agents/secretive-agent.ts"), passEnvironment: ["SECRETS_FILE"] };
  await writeFile(
    join(folder, "runproof.config.mjs"),
    `export default ${JSON.stringify({ agents: { secretive: agent }, fixturesDirectory: "fixtures" })};`,
  );
  await startService();
  await record(otlpUrl, "redacted");
  stored = await judgedRuns();
});

afterAll(async () => {
  if (service.exitCode === null) {
    service.kill("SIGTERM");
    await once(service, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

const PREFIX = 8;

/** Every form of every secret, raw or as JSON, JSON in JSON or a URL write it, by its first characters. */
const formsByPrefix = Map.groupBy(
  planted.concat(others).flatMap(({ kind, raw }) => {
    const json = JSON.stringify(raw).slice(1, -1);
    const forms = new Set([raw, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(raw)]);
    return [...forms].map((form) => ({ kind, form }));
  }),
  ({ form }) => form.slice(0, PREFIX),
);

/** The secrets that a text holds. */
function found(text: string): string[] {
  const hits = new Set<string>();
  for (let at = 0; at + PREFIX <= text.length; at++) {
    for (const { kind, form } of formsByPrefix.get(text.slice(at, at + PREFIX)) ?? [])
      if (text.startsWith(form, at)) hits.add(`${kind}: ${form}`);
  }
  return [...hits];
}

const essence = (verdict: Verdict): unknown => ({
  status: verdict.status,
  failureClass: verdict.failureClass,
  reasons: verdict.reasons.map(({ code, clause }) => `${code} ${clause}`).toSorted(),
});

test("as many secrets, kinds and places as promised, no two alike", () => {
  expect(planted.length).toBeGreaterThanOrEqual(1_000);
  expect(PLANTED_KINDS).toBeGreaterThanOrEqual(30);
  expect(SECRET_PLACES.length).toBeGreaterThanOrEqual(12);
  expect(new Set(planted.concat(others).map(({ raw }) => raw)).size).toBe(planted.length * 2);
});

test("every verdict equals that of the same run with nothing redacted", async () => {
  const tap = await openOtlpTap();
  try {
    await record(tap.url, "plain");
    const ids = new Set(tap.rows.map((row) => row.SpanAttributes[ATTR_RUN_ID] ?? "").filter((id) => id !== ""));
    const plain = new Map(
      [...ids].map((id) => {
        const facts = runFactsFromSpans(id, tap.rows);
        return [facts.taskId, essence(judge(facts.evidence, facts.contract))];
      }),
    );
    // The plain spans do hold the secrets: else this test would compare nothing.
    expect(found(JSON.stringify(tap.rows)).length).toBeGreaterThan(planted.length * 0.9);
    const redacted = new Map(stored.map(({ facts, verdict }) => [facts.taskId, essence(verdict)]));
    expect(redacted).toEqual(plain);
    expect(stored.map(({ row, verdict }) => row.status === verdict.status)).not.toContain(false);
    const statuses = Map.groupBy(stored, ({ verdict }) => verdict.status);
    expect([statuses.get("passed")?.length, statuses.get("failed")?.length]).toEqual([
      Math.ceil(CASES / 2),
      Math.floor(CASES / 2),
    ]);
  } finally {
    await tap.close();
  }
});

describe("from the store to fixtures and back", () => {
  test("each failed run becomes a fixture, and its replay matches every call and fails the same way", async () => {
    const failed = stored.filter(({ verdict }) => verdict.status === "failed");
    for (const { facts, verdict } of failed) {
      const build = buildFixture(facts, verdict, { fixtureId: facts.taskId });
      if (!build.ok) throw new Error(JSON.stringify(build.refusals));
      expect((await writeFixture(fixtures(), build.fixture)).status).toBe("written");
    }
    const ran = await run("cli", "fixture", "run", "--warm", "--json");
    const json = JSON.parse(ran.stdout) as {
      fixtures: {
        fixture_id: string;
        explanation: string;
        replay: { result: string; cassette: { hits: number; misses: unknown[]; unused: unknown[] } };
      }[];
    };
    expect(ran.code).toBe(1);
    expect(json.fixtures).toHaveLength(failed.length);
    const wrong = json.fixtures.filter(
      ({ replay }) =>
        replay.result !== "reproduced" || replay.cassette.misses.length + replay.cassette.unused.length > 0,
    );
    expect(wrong.map(({ fixture_id, explanation }) => `${fixture_id}: ${explanation}`)).toEqual([]);
  });

  test("the programs are used on them", async () => {
    const failed = stored.find(({ verdict }) => verdict.status === "failed");
    const { runId = "", taskId = "" } = failed?.facts ?? {};
    expect((await run("cli", "runs", "list", "--limit", "1000")).code).toBe(0);
    expect((await run("cli", "runs", "show", runId)).code).toBe(0);
    expect((await run("cli", "runs", "show", runId, "--json")).code).toBe(0);
    expect((await run("cli", "fixture", "create", runId, "--id", "made_by_hand")).code).toBe(0);
    expect((await run("cli", "fixture", "list")).code).toBe(0);
    expect((await run("agent-replay", "--fixture", join(fixtures(), taskId))).code).toBe(1);
    const leaky = planted.map(({ text }) => text);
    const code = `export default () => { console.log(${JSON.stringify(leaky.slice(0, 20).join("\n"))}); throw new Error(${JSON.stringify(leaky[20])}); }`;
    await writeFile(join(folder, "leaky.mjs"), code);
    const errored = await run("agent-replay", "--fixture", join(fixtures(), taskId), "--agent", "leaky.mjs");
    expect(errored.stdout).toContain("the agent printed");
  });
});

describe("no secret is found raw", () => {
  test("in any table of the store", async () => {
    const ask = async (query: string): Promise<string> => {
      const response = await fetch(clickhouseUrl, { method: "POST", body: query });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return text;
    };
    const list = await ask(
      "SELECT database, name FROM system.tables WHERE lower(database) NOT IN ('system', 'information_schema') AND engine NOT LIKE '%View' FORMAT TSV",
    );
    const tables = list
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(tables.length).toBeGreaterThan(2);
    let bytes = 0;
    for (const [database = "", name = ""] of tables) {
      const text = await ask(`SELECT * FROM \`${database}\`.\`${name}\` FORMAT JSONEachRow`);
      bytes += text.length;
      expect(found(text), name).toEqual([]);
    }
    expect(bytes).toBeGreaterThan(CASES * 5_000);
  });

  test("in fixtures, those made by the service too", async () => {
    const files = [...(await filesUnder(fixtures())), ...(await filesUnder(join(folder, "auto")))];
    expect(files.length).toBeGreaterThan(Math.floor(CASES / 2) * 4);
    for (const file of files) expect(found(await readFile(file, "utf8")), file).toEqual([]);
  });

  test("in the spools and files of the service and the agent", async () => {
    service.kill("SIGTERM");
    await once(service, "exit");
    for (const file of [...(await filesUnder(join(folder, "data"))), ...(await filesUnder(join(folder, "state")))])
      expect(found(await readFile(file, "latin1")), file).toEqual([]);
  });

  test("in anything that the service and the programs printed", () => {
    expect(printed.length).toBeGreaterThan(10_000);
    expect(found(printed)).toEqual([]);
  });
});

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
