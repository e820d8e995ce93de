import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunContract } from "../../instrumentation/contract/contract.ts";
import { type TokenEntry, tokenSha256 } from "../auth/tokens.ts";
import { createEmbeddedEngine, type EmbeddedEngine } from "../clickhouse/embedded/embedded-engine.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import { createRunStore } from "../clickhouse/run-store.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import { runRow } from "../clickhouse/testing/row-samples.ts";
import { projectOfSpan } from "../evidence/spans-by-project.ts";
import { readStoredBodies } from "../evidence/dialect/testing/capture/stored-bodies.ts";
import { runFactsFromTrace } from "../evidence/trace-run-facts.ts";
import { traceRunId } from "../evidence/trace-run-id.ts";
import { storedFactsOf } from "../run/stored-facts.ts";
import { contract } from "../testing/evidence.ts";
import { judge } from "../verdict/judge.ts";
import { type BacktestOptions, type BacktestResult, runBacktest } from "./run-backtest.ts";
import type { StoredHistory, StoredVersion } from "./testing/memory-history.ts";
import { type StoredRunPlan, storedRuns } from "./testing/stored-runs.ts";

const START = Date.now() - 20 * 86_400_000;
const ADMIN = "token-of-admin-0123456789";
const SHOP = "token-of-shop-0123456789";
const BANK = "token-of-bank-0123456789";
const tokens: readonly TokenEntry[] = [
  { sha256: tokenSha256(SHOP), project: "shop", scopes: ["read"] },
  { sha256: tokenSha256(BANK), project: "bank", scopes: ["read"] },
  { sha256: tokenSha256(ADMIN), project: "ops", scopes: ["admin"] },
];

let directory: string;
let engine: EmbeddedEngine;
let store: Store;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-backtest-"));
  engine = createEmbeddedEngine({ dataDirectory: directory, port: 0, tokens });
  await engine.start();
  store = createStore({ url: engine.url(), ...engine.serviceCredentials() });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await engine.shutdown();
  await rm(directory, { recursive: true, force: true });
});

const named = (agent: string, clauses: Parameters<typeof contract>[0] = {}): RunContract =>
  ({ ...contract(clauses), agent }) as RunContract;

const planned = (changes: Partial<StoredRunPlan>): StoredRunPlan => ({
  id: 1,
  project: "shop",
  startMillis: START,
  recorded: contract({}),
  calls: ["send"],
  evidence: {},
  status: "passed",
  end: "root",
  lateMillis: 0,
  isDoubled: false,
  lost: 0,
  correctedMillis: 0,
  ...changes,
});

async function keep(plans: readonly StoredRunPlan[]): Promise<StoredHistory> {
  const stored = storedRuns(plans);
  await store.insertSpans(stored.spans);
  await store.insertRuns(stored.versions.map(rowOf));
  await store.insertContracts(stored.contracts.map((one) => ({ ...one, agent_name: "", first_seen_at: 0 })));
  return stored;
}

const rowOf = (version: StoredVersion): RunRow =>
  runRow({
    run_id: version.runId,
    project: version.project,
    agent_name: version.agent,
    started_at: version.startedAt,
    closed_at: version.closedAt,
    timeout_seconds: version.timeoutSeconds,
    status: version.status,
    trace_id: version.traceId,
    contract_sha256: version.contractSha256,
    fact_count: version.factCount,
    version: version.version,
  });

type Asked = Partial<BacktestOptions> & { readonly project?: string; readonly password?: string };

function backtest(strict: RunContract, { project, password = ADMIN, ...more }: Asked = {}): Promise<BacktestResult> {
  const scope = { agent: strict.agent, runType: "live", ...(project === undefined ? {} : { project }) } as const;
  const reader = { url: engine.url(), username: "anybody", password };
  return runBacktest({
    store: reader,
    scope,
    contract: strict,
    sinceUnixMillis: START - 1_000,
    threads: 2,
    maxFindings: 100,
    ...more,
  });
}

const HOSTILE = ["\\'; DROP TABLE otel_traces; -- ' OR '1'='1", 'a\nb\t%00\u0000`"{agent:String}', "résumé 🙂"];

describe("a back-test over the real engine", () => {
  it("comes to the same in whatever portions it reads, and to what the service says of each run", async () => {
    const strict = named("mixed", { sideEffects: { expected: [{ tool: "send" }], others: "allow" } });
    const pick = <Value>(id: number, values: readonly Value[]): Value => values[id % values.length] as Value;
    const plans = Array.from({ length: 24 }, (_, id) =>
      planned({
        id: id + 1_000,
        project: pick(id, ["shop", "bank"]),
        startMillis: START + pick(id, [0, 0, id * 3_600_000, id * 1_000]),
        recorded: strict,
        calls: pick(id, [["send"], ["search"], ["send", "search"], []]),
        status: pick(id, ["passed", "passed", "failed", "inconclusive", "started"]),
        end: pick(id, ["root", "close", "root", "none"]),
        lateMillis: pick(id, [0, 0, 40_000, 90_000_000]),
        isDoubled: id % 3 === 0,
        lost: id % 9 === 0 ? 1 : 0,
        correctedMillis: pick(id, [0, 0, 0, 30_000, 864_000_000]),
      }),
    );
    const stored = await keep(plans);
    const whole = await backtest(strict);
    const tight = { maxRows: 30, maxSpans: 20, maxBytes: 12_000 };
    expect(await backtest(strict, { limits: tight, fewRows: 0 })).toEqual(whole);

    const statuses = await statusesByService(stored);
    expect(Object.fromEntries(whole.tally.judged)).toEqual(statuses);
    expect(whole.tally).toMatchObject({ gone: plans.filter(({ lost }) => lost > 0).length });
    expect(whole.findings).toHaveLength(whole.tally.silent.runs);
    expect(whole.tally.silent.runs).toBeGreaterThan(2);
  });

  it("keeps projects apart that share the ids of runs and traces", async () => {
    const strict = named("shared", {
      tools: { forbidden: ["drop"] },
      sideEffects: { expected: [{ tool: "send" }], others: "allow" },
    });
    const both = { id: 7, recorded: strict };
    await keep([planned({ ...both, project: "shop", calls: ["send", "drop"] }), planned({ ...both, project: "bank" })]);
    const found = async (asked: Asked) => {
      const { tally, findings } = await backtest(strict, asked);
      return { runs: tally.runs, silent: findings.map(({ project, runId }) => `${project}/${runId}`) };
    };
    expect(await found({ password: SHOP })).toEqual({ runs: 1, silent: ["shop/run-7"] });
    expect(await found({ password: BANK })).toEqual({ runs: 1, silent: [] });
    expect(await found({ password: BANK, project: "shop" })).toEqual({ runs: 0, silent: [] });
    expect(await found({})).toEqual({ runs: 2, silent: ["shop/run-7"] });
    expect(await found({ project: "bank" })).toEqual({ runs: 1, silent: [] });
    await expect(backtest(strict, { password: "wrong" })).rejects.toThrow("Authentication failed");
  });

  it.each(HOSTILE.map((agent, index) => [agent, index] as const))(
    "takes an agent's name for nothing but a name: %j",
    async (agent, index) => {
      const strict = named(agent, { tools: { forbidden: [agent] } });
      const id = 900 + index;
      await keep([planned({ id, recorded: strict, calls: [agent] })]);
      const { tally, findings } = await backtest(strict, { project: "shop" });
      expect(tally.runs).toBe(1);
      expect(findings).toMatchObject([{ runId: `run-${id}`, failureClass: "tool_not_allowed" }]);
      expect((await backtest(strict, { project: agent })).tally.runs).toBe(0);
    },
  );

  it("leaves out runs of other agents, of other kinds, and those that began before", async () => {
    const strict = named("chosen", { tools: { forbidden: ["send"] } });
    const stored = storedRuns([
      planned({ id: 21, recorded: strict }),
      planned({ id: 22, recorded: strict }),
      planned({ id: 23, recorded: strict, startMillis: START - 5_000 }),
    ]);
    await store.insertSpans(stored.spans);
    const rows = stored.versions.map((version) => ({
      ...rowOf(version),
      run_type: version.runId === "run-22" ? ("replay" as const) : ("live" as const),
    }));
    await store.insertRuns(rows);
    expect((await backtest(strict)).findings.map(({ runId }) => runId)).toEqual(["run-21"]);
    expect((await backtest(named("chose", {}))).tally.runs).toBe(0);
  });

  it.each(["opentelemetry-instrumentation-openai-0.22.0-whole", "ai-7.0.173-whole"])(
    "judges traces of other instrumentations, which never had a contract: %s",
    async (file) => {
      const { spans, logs } = readStoredBodies(`${file}.otlp.json`);
      const traceId = spans[0]?.TraceId ?? "";
      const { agentName, startUnixNano, closeUnixNano, factCount } = runFactsFromTrace(
        { traceId, spans, logs },
        { contractOf: () => undefined },
      );
      const row = { run_id: traceRunId(traceId), trace_id: traceId, agent_name: agentName, fact_count: factCount };
      const times = { started_at: startUnixNano ?? "", closed_at: closeUnixNano };
      await store.insertSpans(spans);
      await store.insertLogs(logs);
      await store.insertRuns([runRow({ ...row, ...times, project: "", status: "inconclusive" })]);
      const judgedBy = async (clauses: Parameters<typeof contract>[0]) => {
        const { tally, findings } = await backtest(named(agentName, clauses), { sinceUnixMillis: 0 });
        const found = findings.map(({ runId, storedStatus, failureClass }) => ({ runId, storedStatus, failureClass }));
        return { judged: Object.fromEntries(tally.judged), found };
      };
      const sideEffects = { get_weather: "read", get_time: "read" } as const;
      const good = { tools: { sideEffects }, sideEffects: { expected: [{ tool: "get_weather" }] } };
      expect(await judgedBy(good)).toEqual({ judged: { passed: 1 }, found: [] });
      const wrong = { runId: row.run_id, storedStatus: "inconclusive", failureClass: "tool_not_allowed" };
      expect(await judgedBy({ tools: { forbidden: ["get_time"] } })).toEqual({ judged: { failed: 1 }, found: [wrong] });
      expect(await judgedBy({ verification: { command: ["make"] } })).toEqual({
        judged: { inconclusive: 1 },
        found: [],
      });
    },
  );

  it("keeps the newest findings and counts all, and tells every one to who listens", async () => {
    const strict = named("many", { tools: { forbidden: ["send"] } });
    await keep(
      Array.from({ length: 12 }, (_, id) =>
        planned({ id: id + 300, recorded: strict, startMillis: START + id * 60_000 }),
      ),
    );
    const heard: string[] = [];
    const result = await backtest(strict, {
      maxFindings: 3,
      limits: { maxRows: 7, maxSpans: 9 },
      onFindings: async (findings) => void heard.push(...findings.map(({ runId }) => runId)),
    });
    expect(result.tally.silent.runs).toBe(12);
    expect(result.findings.map(({ runId }) => runId)).toEqual(["run-311", "run-310", "run-309"]);
    expect(new Set(heard).size).toBe(12);
    expect(result.share).toBe(1);
  });

  it("stops when it is told to, and says how far it came", async () => {
    const strict = named("halted", { tools: { forbidden: ["send"] } });
    await keep(
      Array.from({ length: 30 }, (_, id) =>
        planned({ id: id + 500, recorded: strict, startMillis: START + id * 60_000 }),
      ),
    );
    const stop = new AbortController();
    const limits = { maxRows: 2, maxSpans: 4 };
    const result = await backtest(strict, {
      threads: 1,
      limits,
      signal: stop.signal,
      onProgress: ({ share }) => void (share > 0 && stop.abort()),
    });
    expect(result.interrupted).toBe(true);
    expect(result.tally.runs).toBeGreaterThan(0);
    expect(result.tally.runs).toBeLessThan(30);
    expect(result.share).toBeLessThan(1);
    expect(await backtest(strict, { signal: AbortSignal.abort() })).toMatchObject({
      interrupted: true,
      tally: { runs: 0 },
    });
  });

  it("rejects when the store goes away", async () => {
    const nobody = { url: "http://127.0.0.1:9" };
    await expect(backtest(named("halted"), { store: nobody })).rejects.toThrow("ECONNREFUSED");
  });
});

/** By the service's own way of reading and judging, of the runs that have ended and of which nothing is lost. */
async function statusesByService({ versions }: StoredHistory): Promise<Record<string, number>> {
  const service = createRunStore(store);
  const runs = versions.filter(({ version }) => version === 2);
  const rows = await service.currentRunsOf(runs.map(({ runId }) => runId));
  const spans = await service.spansOfRuns(runs, { maxBytes: 100_000_000 });
  if (spans === "too_large") throw new Error("the spans of the test are too large");
  const facts = await storedFactsOf(
    service,
    runs.map(({ runId, traceId, project }) => {
      const row = rows.find((one) => one.run_id === runId && one.project === project);
      const own = spans.filter((span) => span.TraceId === traceId && projectOfSpan(span) === project);
      return { runId, spans: own, givenUp: row?.status === "started" ? undefined : row };
    }),
  );
  const counts: Record<string, number> = {};
  for (const [index, { evidence, contract: own, factCount }] of facts.entries()) {
    if (factCount < (runs[index]?.factCount ?? 0) || evidence.phase === "open") continue;
    const { status } = judge(evidence, own);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}
