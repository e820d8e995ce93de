import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { createPlayer, type Player } from "../cassette/player.ts";
import { builtFixture, failedFacts, recordedCall } from "../testing/facts.ts";
import { type ChildRun, runChild, type RunChildOptions } from "./run-child.ts";

const module = new URL("../testing/agents/raw-agent.ts", import.meta.url).href;
const scratch = mkdtempSync(join(tmpdir(), "runproof-run-child-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const calls = [
  recordedCall(),
  recordedCall({
    spanId: "00000000000000c2",
    name: "fails",
    path: "fails#0",
    arguments: {},
    thrown: { name: "FetchError", message: "refused" },
    errorClass: "dependency_unavailable",
  }),
];

async function run(input: JsonValue, options: Partial<RunChildOptions> = {}): Promise<ChildRun & { player: Player }> {
  const closing = failedFacts().evidence.closing;
  const evidence = { ...failedFacts().evidence, closing: closing && { ...closing, toolCallCount: 2, stepCount: 2 } };
  const fixture = builtFixture(failedFacts({ input, calls, evidence, state: { cart: [1] } }));
  const player = createPlayer(fixture.cassette);
  const agent = { module, exportName: "default" };
  const environment = { PATH: process.env["PATH"], SECRET: "s3cret", WANTED: "yes" };
  const child = await runChild({ fixture, agent, player, environment, timeoutMillis: 20_000, ...options });
  return { ...child, player };
}

const attributesOf = (child: ChildRun, name: string) =>
  child.rows.find((row) => row.SpanName === name)?.SpanAttributes ?? {};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // A zombie still answers; only its parent can take it away.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

describe("an agent in its own process", () => {
  test("is answered from the cassette, is given its state, and its spans come back raw and decoded", async () => {
    const child = await run({ act: "search" });
    expect(child.outcome).toEqual({ type: "returned" });
    expect(attributesOf(child, "raw work")).toMatchObject({ found: '{"hits":3}', state: '{"cart":[1]}' });
    expect(child.bodies.length).toBeGreaterThan(0);
    expect(child.player.report()).toMatchObject({ hits: 1, misses: [], unused: [{ name: "fails" }] });
  });

  test("gets the recorded error with its name, message and class", async () => {
    const child = await run({ act: "errors" });
    expect(attributesOf(child, "caught")).toEqual({ name: "FetchError", message: "refused", code: "ECONNREFUSED" });
  });

  test("meets a miss as an error that names the nearest recording", async () => {
    const child = await run({ act: "miss" });
    expect(child.outcome).toMatchObject({ type: "threw", error: { name: "CassetteMissError" } });
    expect(JSON.stringify(child.outcome)).toContain("/arguments/q recorded");
    expect(child.player.report().misses).toMatchObject([{ differences: [{ pointer: "/arguments/q" }] }]);
  });

  test("sees an allow-listed environment and an empty folder that is gone afterwards", async () => {
    const child = await run(
      { act: "environment" },
      { agent: { module, exportName: "default", passEnvironment: ["WANTED"] } },
    );
    const { cwd = "", env = "{}" } = attributesOf(child, "environment");
    expect(JSON.parse(env)).toMatchObject({
      TZ: "UTC",
      LC_ALL: "C.UTF-8",
      WANTED: "yes",
      RUNPROOF_RUN_TYPE: "replay",
      RUNPROOF_FIXTURE_ID: "missing_report",
    });
    expect(env).not.toContain("s3cret");
    expect(cwd).toContain("runproof-replay-");
    expect(existsSync(cwd)).toBe(false);
  });

  test("that exits is told by its code, and what it asked is still known", async () => {
    const child = await run({ act: "exit" });
    expect(child.outcome).toEqual({ type: "exited", code: 7, signal: null });
    expect(child.player.report().hits).toBe(1);
  });

  test("that hangs is killed with everything it started", async () => {
    const path = join(scratch, "sleeper.pid");
    // Long enough for a loaded machine to get as far as hanging.
    const child = await run({ act: "hang", path }, { timeoutMillis: 8_000 });
    expect(child.outcome).toEqual({ type: "timed_out", afterMillis: 8_000 });
    const pid = Number(readFileSync(path, "utf8"));
    for (let i = 0; i < 50 && isAlive(pid); i++) await sleep(20);
    expect(isAlive(pid)).toBe(false);
  });

  test("ends when the caller gives up", async () => {
    const path = join(scratch, "aborted.pid");
    const signal = AbortSignal.timeout(1_500);
    expect((await run({ act: "hang", path }, { signal })).outcome).toEqual({ type: "aborted" });
  });

  test("prints as much as it likes; the tail is kept", async () => {
    const child = await run({ act: "print" });
    expect(child.outcome).toEqual({ type: "threw", error: { name: "TypeError", message: "it did not work" } });
    expect(child.stdout.length).toBeLessThan(70_000);
    expect(child.stdout.slice(-7)).toBe("the end");
  });

  test("that cannot be found is not started, with the reason", async () => {
    const missing = { module: new URL("nothing.ts", module).href, exportName: "default" };
    expect((await run({}, { agent: missing })).outcome).toMatchObject({
      type: "not_started",
      message: expect.stringContaining("nothing.ts"),
    });
    const unnamed = { module, exportName: "other" };
    expect((await run({}, { agent: unnamed })).outcome).toMatchObject({
      type: "not_started",
      message: 'the agent\'s module has no function "other"; it exports default',
    });
  });
});
