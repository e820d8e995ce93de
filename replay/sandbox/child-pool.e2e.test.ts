import { existsSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { createPlayer } from "../cassette/player.ts";
import { isAlive } from "../testing/is-alive.ts";
import { builtFixture, failedFacts } from "../testing/facts.ts";
import { type ChildPool, createChildPool } from "./child-pool.ts";
import type { ChildRun, RunChildOptions } from "./run-child.ts";

const agentNamed = (name: string) => ({
  module: new URL(`../testing/agents/${name}.ts`, import.meta.url).href,
  exportName: "default",
});
const environment = { PATH: process.env["PATH"], SECRET: "s3cret", WANTED: "yes" };

let pool: ChildPool | undefined;
afterEach(async () => {
  await pool?.close();
  pool = undefined;
});

const open = (usesPerChild: number, size = 1): ChildPool =>
  (pool = createChildPool({ size, usesPerChild, environment }));

async function run(input: JsonValue, options: Partial<RunChildOptions> = {}): Promise<ChildRun> {
  const fixture = builtFixture(failedFacts({ input, state: { cart: [1] } }));
  const player = createPlayer(fixture.cassette);
  const agent = agentNamed("leaky-agent");
  if (pool === undefined) throw new Error("no pool");
  return await pool.run({ fixture, agent, player, environment, timeoutMillis: 20_000, ...options });
}

const attributesOf = (child: ChildRun, name = "use") =>
  child.rows.find((row) => row.SpanName === name)?.SpanAttributes ?? {};

const leaves = async (what: string, options: Partial<RunChildOptions> = {}) => await run({ leaves: what }, options);

describe("a pool of processes used once", () => {
  test("runs a replay as runChild does: answers, state, environment, work folder, output", async () => {
    open(1);
    const agent = { ...agentNamed("raw-agent"), passEnvironment: ["WANTED"] };
    const searched = await run({ act: "search" }, { agent });
    expect(searched.outcome).toEqual({ type: "returned" });
    expect(attributesOf(searched, "raw work")).toMatchObject({ found: '{"hits":3}', state: '{"cart":[1]}' });
    const placed = attributesOf(await run({ act: "environment" }, { agent }), "environment");
    expect(JSON.parse(placed["env"] ?? "")).toMatchObject({
      TZ: "UTC",
      WANTED: "yes",
      RUNPROOF_FIXTURE_ID: "missing_report",
    });
    expect(placed["env"]).not.toContain("s3cret");
    expect(placed["cwd"]).toMatch(/runproof-replay-.*\/work$/);
    expect(existsSync(placed["cwd"] ?? "")).toBe(false);
    const printed = await run({ act: "print" }, { agent });
    expect(printed.outcome).toEqual({ type: "threw", error: { name: "TypeError", message: "it did not work" } });
    expect(printed.stdout.slice(-7)).toBe("the end");
  });

  test("gives every replay a process of its own", async () => {
    open(1);
    const pids = [await leaves("nothing"), await leaves("nothing")].map((child) => attributesOf(child)["pid"]);
    expect(new Set(pids).size).toBe(2);
  });

  test("queues what is beyond its size, and leaves no process when it closes", async () => {
    open(1, 2);
    const children = await Promise.all(Array.from({ length: 3 }, () => leaves("nothing")));
    const pids = children.map((child) => Number(attributesOf(child)["pid"]));
    expect(new Set(pids).size).toBe(3);
    await pool?.close();
    expect(pids.filter((pid) => isAlive(pid))).toEqual([]);
    await expect(leaves("nothing")).rejects.toThrow("closed");
  });
});

describe("a pool of warm processes", () => {
  test("loads the agent's modules anew in the same process, with an environment and a folder of its own", async () => {
    open(5);
    const first = await leaves("nothing");
    const agent = { ...agentNamed("leaky-agent"), passEnvironment: ["WANTED"] };
    const second = await leaves("a listener", { agent });
    const third = await leaves("nothing but ran a program");
    const seen = [first, second, third].map((child) => attributesOf(child));
    expect(seen.map((it) => it["uses"])).toEqual(["1", "1", "1"]);
    expect(new Set(seen.map((it) => it["pid"])).size).toBe(1);
    expect(new Set(seen.map((it) => it["cwd"])).size).toBe(3);
    expect(seen.map((it) => it["env"]?.includes('"WANTED"'))).toEqual([false, true, false]);
    expect([first.stdout, second.stdout]).toEqual(["use 1 leaves nothing;", "use 1 leaves a listener;"]);
    expect(third.rows).toHaveLength(1);
  });

  test("starts a process that fits when a replay is of another locale, and keeps to it", async () => {
    open(50);
    const base = builtFixture(failedFacts({ input: { leaves: "nothing" } }));
    const german = { ...base, input: { ...base.input, environment: { ...base.input.environment, locale: "de-DE" } } };
    const seen = [
      await leaves("nothing"),
      await leaves("", { fixture: german }),
      await leaves("", { fixture: german }),
    ];
    const told = seen.map((child) => attributesOf(child));
    expect(told.map((it) => it["locale"])).toEqual(["en-US", "de-DE", "de-DE"]);
    expect([told[0]?.["pid"] === told[1]?.["pid"], told[1]?.["pid"] === told[2]?.["pid"]]).toEqual([false, true]);
  });

  test("goes on to another process after so many replays", async () => {
    open(2);
    const pids = [await leaves("nothing"), await leaves("nothing"), await leaves("nothing")].map(
      (child) => attributesOf(child)["pid"],
    );
    expect([pids[0] === pids[1], pids[1] === pids[2]]).toEqual([true, false]);
  });

  test("ends a process in which a replay left anything, and goes on in another", async () => {
    open(50);
    const all = [
      "a timer",
      "a patched global",
      "a process behind one that ended",
      "a process",
      "a global",
      "a prototype",
      "a loop of calls",
    ];
    const left = process.env["RUNPROOF_LONG_TESTS"] === "1" ? all : all.slice(0, 3);
    const pids: (string | undefined)[] = [];
    for (const what of left) pids.push(attributesOf(await leaves(what))["pid"]);
    pids.push(attributesOf(await leaves("nothing"))["pid"]);
    expect(new Set(pids).size).toBe(left.length + 1);
  });

  test("tells an agent that exits, and one that hangs, and goes on in another process", async () => {
    open(50);
    expect((await leaves("an exit")).outcome).toEqual({ type: "exited", code: 5, signal: null });
    expect((await leaves("a hang", { timeoutMillis: 2_000 })).outcome).toMatchObject({ type: "timed_out" });
    expect((await leaves("nothing")).outcome).toEqual({ type: "returned" });
  });

  test("keeps a process whose agent threw, and tells what it threw", async () => {
    open(5);
    const threw = await leaves("a throw");
    expect(threw.outcome).toEqual({ type: "threw", error: { name: "RangeError", message: "too far" } });
    expect(attributesOf(await leaves("nothing"))["pid"]).toBe(attributesOf(threw)["pid"]);
  });

  test("gives up a replay when the caller does, also one that waits for its turn", async () => {
    open(5);
    const signal = AbortSignal.timeout(1_500);
    const [hung, waited] = await Promise.all([leaves("a hang", { signal }), leaves("nothing", { signal })]);
    expect([hung.outcome, waited.outcome]).toEqual([{ type: "aborted" }, { type: "aborted" }]);
  });
});
