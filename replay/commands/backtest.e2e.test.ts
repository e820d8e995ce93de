import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineContract } from "../../instrumentation/contract/contract.ts";
import { storedRuns } from "../../processor/backtest/testing/stored-runs.ts";
import { runRow } from "../../processor/clickhouse/testing/row-samples.ts";
import { createStore } from "../../processor/clickhouse/store.ts";
import { type EngineFixture, startEngineFixture } from "../../processor/clickhouse/testing/engine-fixture.ts";

const ENTRY = fileURLToPath(new URL("../cli.ts", import.meta.url));
const START = Date.now() - 5 * 86_400_000;
const HOSTILE = "drop\u001b[31m<b>\u202e";
let fixture: EngineFixture;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-backtest-"));
  fixture = await startEngineFixture();
  const store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
  await store.migrate();
  const stored = storedRuns(
    Array.from({ length: 6 }, (_, id) => ({
      id,
      project: "",
      startMillis: START + id * 60_000,
      recorded: defineContract({ agent: "booker" }),
      calls: id < 2 ? ["send", HOSTILE] : ["send"],
      evidence: {},
      status: "passed",
      end: "root" as const,
      lateMillis: 0,
      isDoubled: false,
      lost: 0,
      correctedMillis: 0,
    })),
  );
  await store.insertSpans(stored.spans);
  await store.insertRuns(
    stored.versions.map((one) =>
      runRow({
        run_id: one.runId,
        trace_id: one.traceId,
        project: one.project,
        agent_name: one.agent,
        started_at: one.startedAt,
        closed_at: one.closedAt,
        status: one.status,
        contract_sha256: one.contractSha256,
        fact_count: one.factCount,
        version: one.version,
      }),
    ),
  );
  await store.close();
  await writeFile(
    join(folder, "strict.json"),
    JSON.stringify({
      agent: "booker",
      tools: { allowed: ["send"] },
      sideEffects: { others: "allow", expected: [{ tool: "send" }] },
    }),
  );
  await writeFile(
    join(folder, "lenient.mjs"),
    'export default { agent: "booker", sideEffects: { others: "allow", expected: [{ tool: "send" }] } };',
  );
  await writeFile(
    join(folder, "probing.json"),
    JSON.stringify({ agent: "booker", verification: { command: ["make"] } }),
  );
  await writeFile(join(folder, "bad.json"), '{"artifact": 1}');
});
afterAll(async () => {
  await fixture.close();
  await rm(folder, { recursive: true });
});

function start(args: readonly string[], url = fixture.engine.url()) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ENTRY, "backtest", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], RUNPROOF_CLICKHOUSE_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (texts.stderr += text));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...texts }));
  return { child, ended };
}

const backtest = (...args: string[]) => start(args).ended;

describe("runproof backtest", () => {
  test("ends with 1 and lists the runs that were silently wrong, newest first, safe for a terminal", async () => {
    const { code, stdout, stderr } = await backtest("--contract", "strict.json", "--limit", "1");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toContain("6 runs of booker since");
    expect(stdout).toMatch(/passed +6 +4\n/);
    expect(stdout).toMatch(/failed +0 +2\n/);
    expect(stdout).toContain("silently wrong: 2 runs, 33.3 %");
    expect(stdout).toMatch(/tool_not_allowed +2\n/);
    expect(stdout).toMatch(
      / {2}run-1 {2}was passed, trace 0{31}1\n {2}tool_not_allowed by \/tools\/allowed \(tool_call [0-9a-f]{16}\): tool "drop<b>/,
    );
    expect(stdout).toContain("… and 1 more");
    expect(stdout).toMatch(/judged in [\d.]+ s, [\d,]+ runs a second/);
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
  });

  test("prints one document, or a line for each finding and one for the counts", async () => {
    const { code, stdout } = await backtest("--contract", "strict.json", "--json", "--since", "30d");
    expect(code).toBe(1);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      agent: "booker",
      runs: 6,
      status: { failed: 2, passed: 4 },
      changes: expect.arrayContaining([{ stored: "passed", now: "failed", runs: 2 }]),
      silently_wrong: {
        runs: 2,
        reasons: { tool_not_allowed: 2 },
        listed: [{ run_id: "run-1", stored_status: "passed" }, { run_id: "run-0" }],
      },
      interrupted: false,
    });
    expect(document["peak_rss_mib"]).toBeGreaterThan(10);
    const lines = (await backtest("--contract", "strict.json", "--stream")).stdout.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(["finding", "finding", "summary"]);
  });

  test("ends with 0 where nothing is wrong, and with 4 where nothing can be said", async () => {
    const [fine, unknown, nobody] = await Promise.all([
      backtest("--contract", "lenient.mjs"),
      backtest("--contract", "probing.json"),
      backtest("--contract", "lenient.mjs", "--agent", "bookr"),
    ]);
    expect(fine).toMatchObject({ code: 0, stdout: expect.stringContaining("silently wrong: none") });
    expect(unknown).toMatchObject({
      code: 4,
      stdout: expect.stringContaining("nobody looked at /verification when 6 runs closed"),
    });
    expect(nobody).toMatchObject({ code: 4, stderr: "no runs of the agent bookr in that time\n" });
  });

  test("ends with 2 for a contract that cannot be, and with 3 without a store", async () => {
    const [bad, away] = await Promise.all([
      backtest("--contract", "bad.json"),
      start(["--contract", "strict.json"], "http://127.0.0.1:9").ended,
    ]);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain("- agent: ");
    expect(bad.stderr).toContain('Unrecognized key: "artifact"');
    expect(away).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("the store at http://127.0.0.1:9 cannot be read"),
    });
  });

  test("ends with 130 on Ctrl-C, also while the store does not answer, and says how far it came", async () => {
    const asked = Promise.withResolvers<void>();
    const silent = createServer(() => asked.resolve()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      const { child, ended } = start(
        ["--contract", "strict.json", "--json"],
        `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      );
      await asked.promise;
      child.kill("SIGINT");
      const { code, stdout, stderr } = await ended;
      expect({ code, stderr }).toEqual({ code: 130, stderr: "interrupted after 0 runs, 0 % of what is stored\n" });
      expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, runs: 0 });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});
