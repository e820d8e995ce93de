import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordRun, reportAgent } from "./testing/record-run.ts";

let folder: string;
let service: ChildProcess;
let serviceNotes = "";
let otlpUrl = "";
let clickhouseUrl = "";

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the package's programs in the test's folder, against the test's service. */
function run(program: "cli" | "agent-replay", args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const entry = fileURLToPath(new URL(`./${program}.ts`, import.meta.url));
  const own = {
    PATH: process.env["PATH"],
    RUNPROOF_CLICKHOUSE_URL: clickhouseUrl,
    RUNPROOF_ENDPOINT: otlpUrl,
    RUNPROOF_STATE_DIR: join(folder, "state"),
    ...env,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...args], { cwd: folder, env: own }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const runproof = (...args: string[]) => run("cli", args);
const agentReplay = (...args: string[]) => run("agent-replay", args);
const fixturePath = () => join(folder, "fixtures", "agent_failure_forensics", "report-agent_missing_artifact_ref");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-cli-test-"));
  await mkdir(join(folder, ".git"));
  const entry = fileURLToPath(new URL("./cli.ts", import.meta.url));
  const args = [
    "serve",
    "--port",
    "0",
    "--grpc-port",
    "0",
    "--clickhouse-port",
    "0",
    "--admin-port",
    "0",
    "--data-dir",
    "data",
    "--auto-fixtures",
    "auto",
  ];
  service = spawn(process.execPath, [entry, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
  service.stderr?.on("data", (chunk: Buffer) => (serviceNotes += chunk.toString()));
  for await (const line of createInterface({ input: service.stdout as NodeJS.ReadableStream })) {
    otlpUrl ||= /OTLP\/HTTP\s+(\S+)/.exec(line)?.[1] ?? "";
    clickhouseUrl ||= /ClickHouse\s+(\S+)/.exec(line)?.[1] ?? "";
    if (/^\s+data /.test(line)) break;
  }
});

afterAll(async () => {
  if (service.exitCode === null) {
    service.kill("SIGTERM");
    await once(service, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

/** The run records once there are as many as wanted, all of them judged. */
async function judgedRuns(count: number, ...filter: string[]): Promise<Record<string, string>[]> {
  for (let tries = 0; tries < 60; tries++) {
    const { stdout } = await runproof("runs", "list", "--json", ...filter);
    const runs = JSON.parse(stdout || "[]") as Record<string, string>[];
    if (runs.length >= count && runs.every((it) => it["status"] !== "started")) return runs;
    await sleep(250);
  }
  throw new Error(`no ${count} judged runs; the service said: ${serviceNotes}`);
}

describe("from a failed run to its fixture and back", () => {
  test("runs list and runs show give the record, the reasons with their clause, and the calls", async () => {
    await recordRun("broken", otlpUrl);
    const [row] = await judgedRuns(1);
    expect(row).toMatchObject({
      agent_name: "report-agent",
      status: "failed",
      failure_class: "missing_artifact_ref",
      run_type: "live",
    });
    const shown = await runproof("runs", "show", row?.["run_id"] ?? "");
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/missing_artifact_ref by \/artifacts\/0/);
    expect(shown.stdout).toContain("fetch_page#2 tool read");
    const json = JSON.parse((await runproof("runs", "show", row?.["run_id"] ?? "", "--json")).stdout);
    expect(json).toMatchObject({
      run: { run_id: row?.["run_id"] },
      reasons: [{ code: "missing_artifact_ref", clause: "/artifacts/0" }],
    });
    expect(json.calls).toHaveLength(4);
    expect(json.history.length).toBeGreaterThan(0);
    expect((await runproof("runs", "list", "--agent", "report-agent")).stdout).toMatch(/^STARTED .*\n.* failed /);
    expect((await runproof("runs", "list", "--status", "passed")).stderr).toBe("no runs\n");
    expect((await runproof("runs", "show", "nothing")).code).toBe(1);
  });

  test("fixture create writes the four files, the same bytes each time, and keeps what is there", async () => {
    const [row] = await judgedRuns(1);
    const runId = row?.["run_id"] ?? "";
    const created = await runproof("fixture", "create", runId);
    expect(created).toMatchObject({ code: 0, stdout: `${fixturePath()}\n` });
    expect((await runproof("fixture", "create", runId)).code).toBe(2);
    const before = await readFile(join(fixturePath(), "tool_cassettes.json"), "utf8");
    expect(JSON.parse((await runproof("fixture", "create", runId, "--force", "--json")).stdout)).toMatchObject({
      ok: true,
      state: "candidate",
      interactions: 4,
    });
    expect(await readFile(join(fixturePath(), "tool_cassettes.json"), "utf8")).toBe(before);
    expect((await runproof("fixture", "create", runId, "--id", "../x")).code).toBe(2);
    const failing = await runproof("fixture", "create", runId, "--id", "x", "--required-status", "blocked,failed");
    expect(failing).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--required-status takes passed, blocked"),
    });
    expect((await runproof("fixture", "list")).stdout).toMatch(/report-agent_missing_artifact_ref +candidate/);
  });

  test("agent-replay reproduces the failure, and tells the fix from it by its exit code", async () => {
    const broken = await agentReplay(
      "--fixture",
      fixturePath(),
      "--mode",
      "cassette",
      "--agent",
      fileURLToPath(reportAgent),
      "--export",
      "broken",
    );
    expect(broken.stdout).toMatch(/^REPRODUCED {2}report-agent_missing_artifact_ref\n/);
    expect(broken.code).toBe(1);
    const config = { agents: { "report-agent": { module: fileURLToPath(reportAgent), export: "fixed" } } };
    await writeFile(join(folder, "runproof.config.mjs"), `export default ${JSON.stringify(config)};`);
    const fixed = await agentReplay("--fixture", fixturePath(), "--json");
    expect(fixed.code).toBe(0);
    expect(JSON.parse(fixed.stdout)).toMatchObject({
      result: "fixed",
      verdict: { status: "passed" },
      run: { run_type: "replay" },
      stored: true,
    });
  });

  test("replays are stored as runs of their type and fixture", async () => {
    const replays = await judgedRuns(2, "--type", "replay");
    expect(replays.map((it) => [it["status"], it["fixture_id"]])).toEqual([
      ["passed", "report-agent_missing_artifact_ref"],
      ["failed", "report-agent_missing_artifact_ref"],
    ]);
  });

  test("a passed run is refused as a fixture, with the step and the reason", async () => {
    const [passed] = await judgedRuns(1, "--status", "passed");
    const refused = await runproof("fixture", "create", passed?.["run_id"] ?? "", "--json");
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, refusals: [{ step: "run" }] });
  });

  test("the service makes a fixture of the first failed live run of a kind by itself", async () => {
    await recordRun("broken", otlpUrl);
    await judgedRuns(2, "--type", "live");
    await sleep(500);
    expect((await readdir(join(folder, "auto"))).sort()).toEqual([".audit.jsonl", "report-agent_missing_artifact_ref"]);
    const audit = await readFile(join(folder, "auto", ".audit.jsonl"), "utf8");
    expect(audit).toContain('"decision":"written"');
    expect(audit).toContain('"decision":"known"');
    expect(serviceNotes.match(/became the fixture/g)).toHaveLength(1);
  });
});

describe("exit codes", () => {
  test("0 for help and version, which name the codes", async () => {
    for (const program of ["cli", "agent-replay"] as const) {
      const help = await run(program, ["--help"]);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain("Exit codes:");
      expect((await run(program, ["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+/);
    }
  });

  test("2 for wrong usage, with the reason on stderr", async () => {
    const cases: [Ran, RegExp][] = [
      [await runproof("nonsense"), /unknown command/],
      [await runproof("runs", "list", "--limit", "many"), /--limit/],
      [await runproof("runs", "list", "--type", "dead"), /--type/],
      [await runproof("runs", "list", "--since", "soon"), /--since/],
      [await runproof("serve", "--port", "lots"), /otlpPort/],
      [await agentReplay("--fixture", "x", "--mode", "loose"), /cassette, live or strict/],
      [await agentReplay("--fixture", "nothing"), /does not exist/],
    ];
    for (const [ran, reason] of cases) {
      expect(ran.stderr).toMatch(reason);
      expect(ran).toMatchObject({ code: 2, stdout: "" });
    }
  });

  test("3 for a store that is not there", async () => {
    const ran = await runproof("runs", "list", "--clickhouse-url", "http://127.0.0.1:9");
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/the store at http:\/\/127\.0\.0\.1:9 cannot be read.*ECONNREFUSED/);
  });

  test("3 for an agent that cannot be run", async () => {
    const ran = await agentReplay("--fixture", fixturePath(), "--agent", "missing.ts", "--no-store");
    expect(ran.code).toBe(3);
    expect(ran.stdout).toMatch(/^ERRORED/);
  });

  test.runIf(process.platform === "linux")(
    "a service bounds its young generation, in the process it was started as",
    async () => {
      const line = await readFile(`/proc/${service.pid}/cmdline`, "utf8");
      expect(line.split("\0").slice(1, 4)).toEqual([
        "--max-semi-space-size=4",
        expect.stringContaining("cli.ts"),
        "serve",
      ]);
    },
  );

  test("0 for a service that was told to stop", async () => {
    service.kill("SIGTERM");
    const [code] = (await once(service, "exit")) as [number | null];
    expect(code).toBe(0);
  });
});
