import { describe, expect, test } from "vitest";
import type { ChildRun, RunChildOptions } from "../sandbox/run-child.ts";
import { builtFixture } from "../testing/facts.ts";
import { recorded } from "../testing/interactions.ts";
import type { FixtureContent } from "./content.ts";
import { createReplayOracle, type ReplayOracleOptions } from "./replay-oracle.ts";

const NOTHING: ChildRun = { outcome: { type: "returned" }, rows: [], bodies: [], stdout: "", stderr: "" };
const candidate = (input: number): FixtureContent => ({ input, state: null, interactions: [recorded("t#0", {}, 1)] });

/** Replays that end when the test says so. */
function oracle(options: Partial<ReplayOracleOptions> = {}) {
  const running = new Map<unknown, { end: () => void; signal: AbortSignal | undefined }>();
  const run = ({ fixture, signal }: RunChildOptions): Promise<ChildRun> =>
    new Promise((resolve) => {
      const end = (): void => resolve(NOTHING);
      signal?.addEventListener("abort", end, { once: true });
      running.set(fixture.input.input, { end, signal });
    });
  const made = createReplayOracle({
    fixture: builtFixture(),
    agent: { module: "file:///nowhere.ts", exportName: "default" },
    failure: "any",
    run,
    environment: {},
    ignore: [],
    timeoutMillis: 1_000,
    jobs: 2,
    maxTries: 10,
    ...options,
  });
  return { oracle: made, running };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the oracle that replays", () => {
  test("tries hinted candidates while it waits, as many as it has jobs, and replays none twice", async () => {
    const { oracle: asked, running } = oracle();
    asked.hint?.([candidate(2), candidate(3)]);
    const first = asked.try(candidate(1));
    await turn();
    expect([...running.keys()]).toEqual([1, 2]);
    running.get(1)?.end();
    expect(await first).toEqual({ type: "other" });
    expect([...running.keys()]).toEqual([1, 2, 3]);
    running.get(2)?.end();
    expect(await asked.try(candidate(2))).toEqual({ type: "other" });
    expect(asked.started).toBe(3);
    await asked.close();
  });

  test("ends what it tried ahead when it is closed", async () => {
    const { oracle: asked, running } = oracle();
    asked.hint?.([candidate(2)]);
    const first = asked.try(candidate(1));
    await turn();
    running.get(1)?.end();
    await first;
    await asked.close();
    expect(running.get(2)?.signal?.aborted).toBe(true);
  });

  test("stops when no more are allowed, and when it is interrupted in the middle of one", async () => {
    const one = oracle({ maxTries: 0 });
    expect(await one.oracle.try(candidate(1))).toEqual({ type: "stopped" });
    const interrupt = new AbortController();
    const two = oracle({ signal: interrupt.signal });
    const cut = two.oracle.try(candidate(1));
    await turn();
    interrupt.abort();
    expect(await cut).toEqual({ type: "stopped" });
    expect(await two.oracle.try(candidate(2))).toEqual({ type: "stopped" });
  });
});
