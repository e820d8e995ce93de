import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeRecords, type RecordSpan } from "../instrumentation/transport/record-span.ts";
import { callSpan, rootSpan, startSpan, testRun } from "./testing/run-spans.ts";
import type { SpanRow } from "./clickhouse/rows.ts";
import { createServiceFixture, workFolder, type ServiceFixture, type TestAgent } from "./testing/running-service.ts";

/** Whole seconds on a loaded machine; what is waited for usually comes in a few. */
const PATIENCE = { timeout: 90_000, interval: 100 };
const KILLS = 100;
/** Agents starting at once; two cores take no more without starving each other. */
const AT_ONCE = 6;

let fixture: ServiceFixture;
const SETTINGS = { graceSeconds: 1, settleSeconds: 5, watchdogScanSeconds: 0.2 };
beforeEach(async () => {
  fixture = await createServiceFixture(SETTINGS);
});
afterEach(() => fixture.close());

const historyOf = async (runId: string): Promise<string[]> =>
  (await fixture.reader().runHistory(runId)).map((row) => row.failure_class || row.status);
const untilStatus = async (runId: string, status: string): Promise<void> =>
  vi.waitFor(async () => expect((await fixture.reader().currentRun(runId))?.status).toBe(status), PATIENCE);
const countRuns = async (condition: string): Promise<number> =>
  (await fixture.reader().query<{ n: number }>(`SELECT uniqExact(run_id) AS n FROM ${condition}`))[0]?.n ?? 0;

/** A good agent that lives until it is told to do its work; its run has a minute. */
async function ordinaryAgent(): Promise<TestAgent & { finish(): Promise<void> }> {
  const folder = await workFolder(fixture, `work-${Math.random()}`);
  const agent = await fixture.agent("work-when-told", folder, { AGENT_TIMEOUT_SECONDS: "60" });
  return {
    ...agent,
    async finish() {
      agent.process.stdin?.write("go\n");
      expect(await agent.ended).toBe(0);
    },
  };
}

async function inParallel(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

describe("an agent that is killed right after its run started", { timeout: 300_000 }, () => {
  it(`is visible as started and becomes abandoned, ${KILLS} times of ${KILLS}`, async () => {
    await fixture.start();
    const killed: string[] = [];
    await inParallel(KILLS, async () => {
      const agent = await fixture.agent("hang");
      await agent.kill();
      killed.push(agent.runId);
    });
    const abandoned = "runproof_runs FINAL WHERE status = 'failed' AND failure_class = 'run_abandoned'";
    await vi.waitFor(async () => expect(await countRuns(abandoned)).toBe(KILLS), PATIENCE);
    expect(await countRuns("runproof_run_history WHERE status = 'started'")).toBe(KILLS);
    const rows = await fixture.reader().currentRuns({ status: "failed", limit: 1_000 });
    expect(rows.map((row) => row.run_id).toSorted()).toEqual(killed.toSorted());
    expect(rows.every((row) => row.judged_at >= row.deadline_at)).toBe(true);
  });

  it("arrives with the next process when the service was away, 10 times of 10", async () => {
    const agents: TestAgent[] = [];
    await inParallel(10, async () => {
      const agent = await fixture.agent("hang");
      await agent.kill();
      agents.push(agent);
    });
    await fixture.start();
    expect(await fixture.reader().currentRuns()).toEqual([]);
    const next = await ordinaryAgent();
    for (const { runId } of agents) {
      await vi.waitFor(async () => {
        const row = await fixture.reader().currentRun(runId);
        expect(row).toMatchObject({ failure_class: "run_abandoned", status: "failed" });
        expect(row?.failure_reason).toContain("(died)");
      }, PATIENCE);
      expect((await historyOf(runId))[0]).toBe("started");
    }
    await next.finish();
  });
});

describe("a process that ends with its run open", () => {
  it.each([
    { how: "falls off its end", what: "end", argument: "", code: 0, cause: "(clean_shutdown)" },
    { how: "exits with 0", what: "exit", argument: "0", code: 0, cause: "(clean_shutdown)" },
    { how: "exits with 3", what: "exit", argument: "3", code: 3, cause: "(died)" },
  ])("is told apart: it $how", async ({ what, argument, code, cause }) => {
    await fixture.start();
    const agent = await fixture.agent(what, argument);
    expect(await agent.ended).toBe(code);
    // Last words lie in the spool; the next process brings them.
    const next = await ordinaryAgent();
    await vi.waitFor(async () => {
      const row = await fixture.reader().currentRun(agent.runId);
      expect(row).toMatchObject({ status: "failed", failure_class: "run_abandoned" });
      expect(row?.failure_reason).toContain(cause);
    }, PATIENCE);
    await next.finish();
  });
});

describe("an agent without any OpenTelemetry SDK", () => {
  it("gets the same verdict as one with an SDK", async () => {
    await fixture.start();
    const verdictOf = async (what: string): Promise<object> => {
      const env = { AGENT_TIMEOUT_SECONDS: "60" };
      const agent = await fixture.agent(what, await workFolder(fixture, what), env);
      expect(await agent.ended).toBe(0);
      await untilStatus(agent.runId, "passed");
      const row = await fixture.reader().currentRun(agent.runId);
      const ids = new RegExp(`${agent.runId}|[0-9a-f]{16}`, "g");
      const calls = JSON.parse((row?.proofs ?? "[]").replaceAll(ids, "id")) as unknown;
      return { reasons: row?.reasons, calls, refs: row?.artifact_refs, history: await historyOf(agent.runId) };
    };
    const without = await verdictOf("work");
    // A run that is over before anybody looked has one version.
    const history = expect.arrayContaining(["passed"]) as unknown[];
    expect(without).toMatchObject({ reasons: "[]", refs: ["report.md"], history });
    expect(await verdictOf("work-with-sdk")).toMatchObject({ ...without, history });
  });
});

describe("a service whose engine is killed while spans come in", () => {
  it("keeps every acknowledged span, once to a reader, and comes to its verdicts", async () => {
    const service = await fixture.start();
    const runs = Array.from({ length: 90 }, () => testRun());
    const acknowledged = new Set<string>();
    const killed: number[] = [];
    const killEngine = async (): Promise<void> => {
      const pid = await vi.waitFor(() => {
        const serving = service.enginePid();
        expect(killed).not.toContain(serving);
        return serving ?? expect.fail("no engine");
      }, PATIENCE);
      process.kill(pid, "SIGKILL");
      killed.push(pid);
    };
    await Promise.all(
      [0, 1, 2].map(async (lane) => {
        for (const [index, run] of runs.entries()) {
          if (index % 3 !== lane) continue;
          if (index % 30 === 15) await killEngine();
          for (const spans of [[startSpan(run)], [callSpan(run), rootSpan(run, { toolCallCount: 1 })]])
            await post(spans, acknowledged);
        }
      }),
    );
    expect(killed).toHaveLength(3);
    expect(acknowledged.size).toBe(runs.length * 3);
    await vi.waitFor(async () => {
      const rows = await fixture.reader().currentRuns({ status: "passed", limit: 1_000 });
      expect(rows.map((row) => row.run_id).toSorted()).toEqual(runs.map((run) => run.runId).toSorted());
    }, PATIENCE);
    const seen = await fixture
      .reader()
      .query<{ SpanId: string }>("SELECT SpanId FROM otel_traces LIMIT 1 BY TraceId, SpanId");
    expect(seen.map((row) => row.SpanId).toSorted()).toEqual([...acknowledged].toSorted());
  });

  /** A sender as OTLP wants it: the same batch again until it is acknowledged. */
  async function post(spans: readonly SpanRow[], acknowledged: Set<string>): Promise<void> {
    const body = encodeRecords({ attributes: { "service.name": "sender" } }, spans.map(recordOf));
    await vi.waitFor(async () => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${fixture.otlpUrl}/v1/traces`, { method: "POST", headers, body });
      expect(response.status).toBe(200);
    }, PATIENCE);
    for (const span of spans) acknowledged.add(span.SpanId);
  }
});

describe("a service that is stopped and started again", () => {
  it("keeps the history, judges what ended meanwhile, and blames nobody for its own absence", async () => {
    await fixture.start();
    const early = await ordinaryAgent();
    await early.finish();
    const patient = await ordinaryAgent();
    const during = await ordinaryAgent();
    const killed = await fixture.agent("hang", "", { AGENT_TIMEOUT_SECONDS: "4" });
    await untilStatus(early.runId, "passed");
    await untilStatus(killed.runId, "started");
    const before = await historyOf(early.runId);
    await fixture.stop();
    const stoppedAt = Date.now();

    await during.finish();
    await killed.kill();
    // Longer than the deadline of the killed run, and than the three missed beats that make a gap.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, stoppedAt + 8_000 - Date.now())));
    await fixture.start();
    const startedAt = Date.now();
    expect(await historyOf(early.runId)).toEqual(before);
    const [gap] = await fixture
      .reader()
      .query<{ ms: number }>("SELECT dateDiff('ms', started_at, ended_at) AS ms FROM runproof_monitor_gaps");
    expect(gap?.ms).toBeGreaterThan(7_000);

    const next = await ordinaryAgent();
    await patient.finish();
    await untilStatus(patient.runId, "passed");
    await untilStatus(during.runId, "passed");
    await untilStatus(killed.runId, "failed");
    for (const { runId } of [patient, during]) expect(await historyOf(runId)).toEqual(["started", "passed"]);
    const abandoned = await fixture.reader().currentRun(killed.runId);
    expect(abandoned?.judged_at).toBeGreaterThan(startedAt);
    expect((abandoned?.judged_at ?? 0) - (abandoned?.deadline_at ?? 0)).toBeGreaterThan(gap?.ms ?? 0);
    await next.finish();
  });
});

/** The way a test's span goes over the wire. */
const recordOf = (span: SpanRow): RecordSpan => ({
  traceId: span.TraceId,
  spanId: span.SpanId,
  ...(span.ParentSpanId === "" ? {} : { parentSpanId: span.ParentSpanId }),
  name: span.SpanName,
  timeUnixNano: span.Timestamp,
  endUnixNano: String(BigInt(span.Timestamp) + BigInt(span.Duration)),
  attributes: span.SpanAttributes,
});
