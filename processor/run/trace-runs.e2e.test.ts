import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { RunRow } from "../clickhouse/run-rows.ts";
import type { SentBody } from "../evidence/dialect/testing/capture/scenario-server.ts";
import { readSentBodies } from "../evidence/dialect/testing/capture/stored-bodies.ts";
import type { Service } from "../service.ts";
import { createServiceFixture, type ServiceFixture } from "../testing/running-service.ts";

const contracts = {
  "city-guide": {
    tools: { sideEffects: { get_weather: "read", get_time: "read" } },
    sideEffects: { expected: [{ tool: "get_weather", arguments: { city: "Paris", unit: "celsius" } }] },
  },
};

let folder: string;
let fixture: ServiceFixture;
let service: Service;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-contracts-"));
  const contractsFile = join(folder, "contracts.json");
  await writeFile(contractsFile, JSON.stringify(contracts));
  fixture = await createServiceFixture({ settleSeconds: 1, contractsFile });
  service = await fixture.start();
});
afterAll(async () => {
  await fixture.close();
  await rm(folder, { recursive: true, force: true });
});

/** A stored body under another trace id, so that each test has a trace of its own. */
function bodiesOf(file: string, traceId: string): SentBody[] {
  const text = JSON.stringify(readSentBodies(`${file}.otlp.json`));
  const [, old = ""] = /"traceId":"([0-9a-f]{32})"/.exec(text) ?? [];
  return JSON.parse(text.replaceAll(old, traceId)) as SentBody[];
}

async function send(bodies: readonly SentBody[]): Promise<void> {
  for (const { path, body } of bodies) {
    const response = await fetch(`${fixture.otlpUrl}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
  }
  await service.idle();
}

interface TracesBody {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly parentSpanId?: string }[] }[];
  }[];
}

/** The same request with only some of its spans. */
function spansWhere(
  bodies: readonly SentBody[],
  keep: (span: { readonly parentSpanId?: string }) => boolean,
): SentBody[] {
  return bodies.map(({ path, body }) => {
    if (path !== "/v1/traces") return { path, body };
    const { resourceSpans } = body as TracesBody;
    const kept = resourceSpans.map((resource) => ({
      ...resource,
      scopeSpans: resource.scopeSpans.map((scope) => ({ ...scope, spans: scope.spans.filter(keep) })),
    }));
    return { path, body: { resourceSpans: kept } };
  });
}

const current = (traceId: string): Promise<RunRow | undefined> => fixture.reader().currentRun(`trace-${traceId}`);

describe("a trace of another instrumentation", () => {
  test("is a run, judged by the contract that the service has for its agent", async () => {
    const traceId = "1".repeat(32);
    await send(bodiesOf("ai-7.0.173-whole", traceId));
    expect(await current(traceId)).toMatchObject({
      status: "passed",
      agent_name: "city-guide",
      model: "m-1",
      trace_id: traceId,
      run_type: "live",
    });
  });

  test("is inconclusive without a contract, never green", async () => {
    const traceId = "2".repeat(32);
    await send(bodiesOf("arizeai-openinference-instrumentation-openai-4.2.7-stream", traceId));
    expect(await current(traceId)).toMatchObject({
      status: "inconclusive",
      failure_class: "contract_missing",
      agent_name: "city-guide-service",
    });
  });

  test("is judged again when the log records with its content come after its spans", async () => {
    const traceId = "3".repeat(32);
    const bodies = bodiesOf("opentelemetry-instrumentation-openai-0.22.0-whole", traceId);
    await send(bodies.filter(({ path }) => path === "/v1/traces"));
    expect(await current(traceId)).toMatchObject({ status: "inconclusive" });
    expect((await current(traceId))?.reasons).toContain("output messages");
    await send(bodies.filter(({ path }) => path === "/v1/logs"));
    const after = await current(traceId);
    expect(after).toMatchObject({ status: "inconclusive", failure_class: "contract_missing" });
    expect(after?.reasons).not.toContain("output messages");
  });

  test("is started until its outermost span comes, though that one is no step", async () => {
    const traceId = "4".repeat(32);
    const bodies = bodiesOf("traceloop-instrumentation-openai-0.27.0-whole", traceId);
    await send(spansWhere(bodies, ({ parentSpanId = "" }) => parentSpanId !== ""));
    expect(await current(traceId)).toMatchObject({ status: "started", closed_at: null });
    await send(spansWhere(bodies, ({ parentSpanId = "" }) => parentSpanId === ""));
    await vi.waitFor(async () => expect((await current(traceId))?.status).toBe("inconclusive"), {
      timeout: 60_000,
      interval: 250,
    });
  });

  test("is no run of its own within a run of ours", async () => {
    const agent = await fixture.agent("finish");
    await agent.ended;
    await service.idle();
    const own = await fixture.reader().currentRun(agent.runId);
    expect(own).toBeDefined();
    await send(bodiesOf("ai-7.0.173-whole", own?.trace_id ?? ""));
    expect(await current(own?.trace_id ?? "")).toBeUndefined();
  });

  test("without a step of an agent is none", async () => {
    const traceId = "5".repeat(32);
    const bodies = bodiesOf("traceloop-instrumentation-openai-0.27.0-whole", traceId);
    await send(spansWhere(bodies, ({ parentSpanId = "" }) => parentSpanId === ""));
    expect(await current(traceId)).toBeUndefined();
  });
});
