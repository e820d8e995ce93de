import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SimulatedStore } from "../run/testing/memory-run-store.ts";
import { describeRunStore } from "../run/testing/run-store-contract.ts";
import { callSpan, startSpan, testRun } from "../testing/run-spans.ts";
import { createRunStore } from "./run-store.ts";
import { createStore, type Store } from "./store.ts";
import { startEngineFixture, type EngineFixture } from "./testing/engine-fixture.ts";

describe("the store of runs over the real engine", () => {
  let fixture: EngineFixture;
  let store: Store;
  let runs: SimulatedStore;
  beforeAll(async () => {
    fixture = await startEngineFixture();
    store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
    await store.migrate();
    runs = { ...createRunStore(store), insertSpans: (spans, token) => store.insertSpans(spans, token) };
  });
  afterAll(async () => {
    await store.close();
    await fixture.close();
  });

  describeRunStore(() => runs);

  it("says when an answer would be too large, and gives a part: records first, long values left out", async () => {
    const run = testRun();
    const long = { attributes: { "gen_ai.tool.call.result": JSON.stringify("x".repeat(5_000)) } };
    const calls = Array.from({ length: 50 }, () => callSpan(run, "send", long));
    await store.insertSpans([...calls, startSpan(run)]);
    expect(await runs.spansOfRuns([run], { maxBytes: 50_000 })).toBe("too_large");
    const part = await runs.spansOfRuns([run], { maxBytes: 50_000, bounded: { maxSpans: 10 } });
    expect(part).toHaveLength(10);
    expect(JSON.stringify(part)).toContain('"runproof.event":"start"');
    expect(JSON.stringify(part)).not.toContain("xxxx");
  });

  it("makes the current rows anew from the history when the migration that replaces the table runs again", async () => {
    const [before] = await store.query<{ n: number }>(
      "SELECT count() AS n FROM (SELECT DISTINCT project, run_id FROM runproof_runs)",
    );
    await store.query("SELECT 1");
    await fixture.service.command({
      query:
        "ALTER TABLE runproof_migrations DELETE WHERE name = '0005_runs_by_project.sql' SETTINGS mutations_sync = 1",
    });
    await store.migrate();
    const [after] = await store.query<{ n: number }>(
      "SELECT count() AS n FROM (SELECT DISTINCT project, run_id FROM runproof_runs)",
    );
    expect(after).toEqual(before);
    expect(before?.n).toBeGreaterThan(0);
  });
});
