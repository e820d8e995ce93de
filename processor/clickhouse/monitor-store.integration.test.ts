import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as semconv from "../../instrumentation/semconv.ts";
import { alertRow, resultLogRow, roundLogRow } from "../monitor/testing/samples.ts";
import { createMonitorStore } from "./monitor-store.ts";
import { createRunStore } from "./run-store.ts";
import { createStore, type Store } from "./store.ts";
import { type EngineFixture, startEngineFixture } from "./testing/engine-fixture.ts";
import { runRow } from "./testing/row-samples.ts";

let fixture: EngineFixture;
let store: Store;
let monitor: ReturnType<typeof createMonitorStore>;
let project: string;
beforeAll(async () => {
  fixture = await startEngineFixture();
  store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
  await store.migrate();
  await store.verifySchema();
  monitor = createMonitorStore(store, createRunStore(store));
});
afterAll(async () => {
  await store.close();
  await fixture.close();
});
beforeEach(() => {
  project = `project-${randomUUID()}`;
});

const now = Math.floor(Date.now() / 1_000) * 1_000;
const HOUR = 3_600_000;
const own = <Row extends { readonly project: string }>(rows: readonly Row[]): Row[] =>
  rows.filter((row) => row.project === project);

const round = (phase: string, shard = "1/1", changes: Record<string, string> = {}) => ({
  [semconv.ATTR_CANARY_TIER]: "critical",
  [semconv.ATTR_CANARY_ROUND_ID]: "critical:7",
  [semconv.ATTR_CANARY_SLOT]: String(now - 60_000),
  [semconv.ATTR_CANARY_INTERVAL_SECONDS]: "900",
  [semconv.ATTR_CANARY_SHARD]: shard,
  [semconv.ATTR_CANARY_PHASE]: phase,
  [semconv.ATTR_CANARY_FIXTURES]: JSON.stringify(["one", "two"]),
  ...changes,
});

const result = (fixtureId: string, outcome: string, changes: Record<string, string> = {}) => ({
  [semconv.ATTR_CANARY_TIER]: "critical",
  [semconv.ATTR_CANARY_ROUND_ID]: "critical:7",
  [semconv.ATTR_CANARY_SLOT]: String(now - 60_000),
  [semconv.ATTR_CANARY_INTERVAL_SECONDS]: "900",
  [semconv.ATTR_FIXTURE_ID]: fixtureId,
  [semconv.ATTR_CANARY_OUTCOME]: outcome,
  [semconv.ATTR_CANARY_FIXTURE_STATE]: "certified",
  [semconv.ATTR_AGENT_NAME]: "researcher",
  [semconv.ATTR_CANARY_PROTECTS]: "missing_artifact",
  [semconv.ATTR_CODE_VERSION]: "v1",
  [semconv.ATTR_RUN_ID]: "canary-run",
  [semconv.ATTR_CANARY_EXPLANATION]: "because",
  [semconv.ATTR_CANARY_DURATION_MS]: "12.5",
  ...changes,
});

describe("the views over log events", () => {
  it("spell attributes and events as the conventions do", async () => {
    const sql = await readFile(new URL("../../deploy/clickhouse/0009_monitor.sql", import.meta.url), "utf8");
    const spelled = new Set([...sql.matchAll(/'((?:runproof|gen_ai)\.[a-z_.]+)'/g)].map(([, name]) => name));
    const known = new Set<unknown>(Object.values(semconv));
    expect([...spelled].filter((name) => !known.has(name))).toEqual([]);
    expect(spelled.size).toBeGreaterThan(15);
  });

  it("make one round of the events of its shards, however often they are sent", async () => {
    const events = [
      roundLogRow(now - 50_000, round("started", "1/2"), project),
      roundLogRow(now - 49_000, round("started", "2/2", { [semconv.ATTR_CANARY_FIXTURES]: '["three"]' }), project),
      roundLogRow(now - 40_000, round("ended", "1/2"), project),
      roundLogRow(now - 30_000, round("ended", "2/2"), project),
    ];
    await store.insertLogs(events, randomUUID());
    await store.insertLogs(events, randomUUID());
    const [found, ...others] = own(await monitor.canaryRounds(now - HOUR));
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      tier: "critical",
      round_id: "critical:7",
      slot: now - 60_000,
      interval_seconds: 900,
      started_at: now - 50_000,
      ended_at: now - 30_000,
    });
    expect(found?.fixtures.toSorted()).toEqual(["one", "three", "two"]);
    expect(found?.ended_shards.toSorted()).toEqual(["1/2", "2/2"]);
    expect(await monitor.canariesHeard(now - HOUR)).toEqual({ last_at: now - 30_000, longest_interval_seconds: 900 });
    expect(await monitor.canariesHeard(now + HOUR)).toEqual({ last_at: 0, longest_interval_seconds: 0 });
  });

  it("tell a round that was interrupted, or has begun, from one that ended", async () => {
    await store.insertLogs([roundLogRow(now - 50_000, round("started"), project)]);
    await store.insertLogs([roundLogRow(now - 40_000, round("interrupted"), project)]);
    const [found] = own(await monitor.canaryRounds(now - HOUR));
    expect(found).toMatchObject({ ended_shards: [], ended_at: 0, started_at: now - 50_000 });
  });

  it("give the newest result of each fixture, whatever came in last", async () => {
    const newest = result("one", "failing", { [semconv.ATTR_CANARY_ROUND_ID]: "critical:8" });
    await store.insertLogs([resultLogRow(now - 10_000, newest, project)]);
    await store.insertLogs([resultLogRow(now - 20_000, result("one", "passing"), project)]);
    await store.insertLogs([resultLogRow(now - 30_000, result("two", "passing"), project)]);
    const found = own(await monitor.canaryResults(now - HOUR));
    expect(found.map(({ fixture_id, outcome }) => `${fixture_id} ${outcome}`).toSorted()).toEqual([
      "one failing",
      "two passing",
    ]);
    expect(found.find((one) => one.fixture_id === "one")).toMatchObject({
      observed_at: now - 10_000,
      agent_name: "researcher",
      protects: "missing_artifact",
      code_version: "v1",
      run_id: "canary-run",
      explanation: "because",
      duration_ms: 12.5,
      fixture_state: "certified",
    });
  });

  it("take no time to come for true: a result from tomorrow would stay fresh", async () => {
    await store.insertLogs([resultLogRow(now + 24 * HOUR, result("one", "passing"), project)]);
    const [found] = own(await monitor.canaryResults(now - HOUR));
    expect(found?.observed_at).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  it("let no value of an event keep its log record, or those beside it, from being stored", async () => {
    const values = [
      "",
      "nan",
      "inf",
      "-inf",
      "9".repeat(400),
      "-9223372036854775809",
      "1e309",
      "'; DROP TABLE x; --",
      "[",
      "{}",
      "\0",
    ];
    const attributes = values.map((value) => ({
      ...round(value, value),
      [semconv.ATTR_CANARY_SLOT]: value,
      [semconv.ATTR_CANARY_INTERVAL_SECONDS]: value,
      [semconv.ATTR_CANARY_FIXTURES]: value,
      [semconv.ATTR_CANARY_DURATION_MS]: value,
      [semconv.ATTR_FIXTURE_ID]: value,
      [semconv.ATTR_CANARY_ROUND_ID]: value,
    }));
    const rows = attributes.flatMap((one, index) => [
      roundLogRow(now - index, one, project),
      resultLogRow(now - index, one, project),
    ]);
    await store.insertLogs(rows);
    const [stored] = await store.query<{ n: number }>(
      "SELECT count() AS n FROM otel_logs WHERE Project = {project:String}",
      {
        project,
      },
    );
    expect(stored?.n).toBe(rows.length);
    const rounds = own(await monitor.canaryRounds(now - HOUR));
    expect(rounds.length).toBeGreaterThan(0);
    expect(rounds.every(({ interval_seconds, slot }) => Number.isFinite(interval_seconds) && slot >= 0)).toBe(true);
    expect(own(await monitor.canaryResults(now - HOUR)).length).toBe(values.length);
  });
});

describe("reads of runs", () => {
  const bad = (id: string, changes: Parameters<typeof runRow>[0] = {}) =>
    runRow({
      run_id: id,
      project,
      status: "failed",
      failure_class: "missing_artifact",
      code_version: "v1",
      received_at: now - 120_000,
      closed_at: `${now - 90_000}000000`,
      judged_at: now - 60_000,
      version: 2,
      contract_sha256: "c",
      ...changes,
    });
  const key = () => ({ project, agent_name: "researcher", failure_class: "missing_artifact", code_version: "v1" });

  it("find the first and the last bad run of a key, by what each run is now", async () => {
    await store.insertRuns([
      bad("early", { closed_at: `${now - 110_000}000000` }),
      bad("late"),
      bad("mended", { closed_at: `${now - 200_000}000000` }),
      bad("mended", { status: "passed", failure_class: "", version: 3 }),
      bad("canary", { run_type: "canary", closed_at: `${now - 300_000}000000` }),
      bad("other-class", { failure_class: "timeout", closed_at: `${now - 300_000}000000` }),
      bad("other-revision", { code_version: "v0", closed_at: `${now - 300_000}000000` }),
      bad("open", { closed_at: null, received_at: now - 115_000, status: "blocked" }),
    ]);
    const expected = {
      ...key(),
      first_bad_run_id: "open",
      first_bad_at: now - 115_000,
      last_bad_run_id: "late",
      last_bad_at: now - 90_000,
      last_received_at: now - 115_000,
      run_count: 3,
    };
    expect(await monitor.badRunsOf(key(), now - HOUR)).toEqual(expected);
    const groups = own(await monitor.badSince(now - HOUR));
    expect(groups.find((one) => one.code_version === "v1" && one.failure_class === "missing_artifact")).toEqual(
      expected,
    );
    expect(groups).toHaveLength(3);
    expect(await monitor.badRunsOf({ ...key(), code_version: "v9" }, 0)).toBeUndefined();
    expect(await monitor.badRunsOf(key(), now)).toBeUndefined();
  });

  it("do not believe an agent's clock that a run ended after it was judged", async () => {
    await store.insertRuns([bad("ahead", { closed_at: `${now + 5 * HOUR}000000` })]);
    expect((await monitor.badRunsOf(key(), 0))?.last_bad_at).toBe(now - 60_000);
  });

  it("count the runs of a window by what they are now", async () => {
    await store.insertRuns([
      bad("a", { status: "started", version: 1 }),
      bad("a"),
      bad("b", { evidence_rank: 1 }),
      bad("c", { status: "inconclusive" }),
      bad("d", { status: "inconclusive", contract_sha256: "" }),
      bad("old", { judged_at: now - 2 * HOUR }),
      bad("replayed", { run_type: "replay" }),
    ]);
    const counts = own(await monitor.runCounts(now - HOUR)).map(({ status, abandoned, promised, runs }) =>
      [status, abandoned, promised, runs].join(" "),
    );
    expect(counts.toSorted()).toEqual([
      "failed false true 1",
      "failed true true 1",
      "inconclusive false false 1",
      "inconclusive false true 1",
    ]);
  });
});

describe("alerts", () => {
  it("are read as their highest version, in every column", async () => {
    const first = alertRow({
      project,
      alert_id: randomUUID(),
      first_bad_at: now - HOUR,
      last_bad_at: now,
      alerted_at: now,
    });
    const last = { ...first, state: "resolved", resolved_at: now, resolved_by: "ann", version: 2 ** 40 + 1 } as const;
    await monitor.insertAlerts([last], randomUUID());
    await monitor.insertAlerts([first], randomUUID());
    expect(own(await monitor.alerts(now - HOUR))).toEqual([last]);
    expect(own(await monitor.alerts(now + HOUR))).toEqual([]);
    expect(await monitor.alertsOf(last)).toEqual([last]);
  });

  it("are one row under one token", async () => {
    const alert = alertRow({ project, alert_id: randomUUID() });
    await monitor.insertAlerts([alert], alert.alert_id);
    await monitor.insertAlerts([alert], alert.alert_id);
    const sql = "SELECT count() AS n FROM runproof_alerts WHERE project = {project:String}";
    expect(await store.query(sql, { project })).toEqual([{ n: 1 }]);
  });
});
