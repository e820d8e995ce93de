import { expect, test } from "vitest";
import { defineContract } from "../../instrumentation/contract/contract.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { readStoredBodies } from "../evidence/dialect/testing/capture/stored-bodies.ts";
import { foreignSpan } from "../evidence/dialect/testing/step-span.ts";
import { touchedRunFrom } from "../native/index.ts";
import { callSpan, startSpan, testRun } from "../testing/run-spans.ts";
import { createRunAssembler, type RunAssembler } from "./run-assembler.ts";
import { createRunFolder } from "./run-folder.ts";
import { createRunSweep } from "./run-sweep.ts";
import { createMemoryRunStore } from "./testing/memory-run-store.ts";
import { createVirtualScheduler } from "./testing/virtual-scheduler.ts";

const START = 1_800_000_000_000;
const contract = defineContract({
  agent: "city-guide-service",
  tools: { sideEffects: { get_weather: "read", get_time: "read" } },
  sideEffects: { expected: [{ tool: "get_weather" }] },
});
const { spans } = readStoredBodies("traceloop-instrumentation-openai-0.27.0-whole.otlp.json");
const traceId = spans[0]?.TraceId ?? "";
const steps = spans.filter(({ ParentSpanId }) => ParentSpanId !== "");
const root = spans.filter(({ ParentSpanId }) => ParentSpanId === "");

function world() {
  const scheduler = createVirtualScheduler(START);
  const store = createMemoryRunStore(scheduler.now);
  const errors: unknown[] = [];
  let batches = 0;
  const assembler = (): RunAssembler =>
    createRunAssembler({
      store,
      scheduler,
      folder: createRunFolder(store, { breather: scheduler.breather, contracts: { [contract.agent]: contract } }),
      graceMillis: 60_000,
      settleMillis: 10_000,
      onError: (what, error) => errors.push(what, error),
    });
  const pass = (seconds: number): Promise<void> => scheduler.runUntil(scheduler.now() + seconds * 1_000);
  return {
    store,
    assembler,
    pass,
    scheduler,
    errors,
    async send(to: RunAssembler | undefined, ...sent: readonly SpanRow[]): Promise<void> {
      await store.insertSpans(sent, `batch-${batches++}`);
      to?.observe(sent.map(touchedRunFrom).filter((run) => run !== undefined));
      await pass(1);
    },
    statuses: () => store.history.map(({ status }) => status),
  };
}

test("a trace is a started run at its first step, and ends when its outermost span is found, which touches nobody", async () => {
  const { assembler, send, pass, statuses, errors } = world();
  const one = assembler();
  await send(one, ...steps.slice(0, 1));
  expect(statuses()).toEqual(["started"]);
  await send(one, ...steps.slice(1));
  await send(one, ...root);
  await pass(5);
  expect(statuses()).toEqual(["started", "passed"]);
  expect(errors).toEqual([]);
});

test("a trace whose outermost span never comes is looked at ever more rarely, and is inconclusive when it is given up", async () => {
  const { assembler, send, pass, statuses, store } = world();
  const one = assembler();
  await send(one, ...steps);
  await pass(7_200);
  expect(statuses()).toEqual(["started"]);
  const row = store.history[0];
  if (row === undefined) throw new Error("no row");
  one.abandon(row);
  await pass(5);
  expect(statuses()).toEqual(["started", "inconclusive"]);
  expect(store.history[1]?.reasons).toContain("never arrived");
  await send(one, ...root);
  one.revisit({ runId: `trace-${traceId}`, traceId });
  await pass(5);
  expect(statuses()).toEqual(["started", "inconclusive", "passed"]);
});

test("a trace that two collectors see is judged once they have all of it, the same by both", async () => {
  const { assembler, send, pass, store } = world();
  const [here, there] = [assembler(), assembler()];
  await send(here, ...steps.slice(0, 1), ...root);
  await send(there, ...steps.slice(1));
  await pass(30);
  expect(store.current(`\ntrace-${traceId}`)).toMatchObject({ status: "passed", fact_count: spans.length });
});

test("a trace that was stored and not judged before a crash is found by the sweep", async () => {
  const { assembler, send, pass, statuses, store, scheduler } = world();
  await store.insertBeat({
    collector_id: "c",
    heard_at: START,
    stored_through: START,
    judged_through: START,
    state: "up",
  });
  await send(undefined, ...spans);
  const one = assembler();
  const sweep = createRunSweep({
    collectorId: "c",
    store,
    assembler: one,
    sweepMillis: 10 * 365 * 86_400_000,
    scheduler,
    onError: () => undefined,
  });
  await sweep.start();
  await pass(60);
  await sweep.shutdown();
  expect(statuses()).toEqual(["passed"]);
});

test("steps of another instrumentation within a run of ours are no run, whichever came first", async () => {
  const { assembler, send, pass, store } = world();
  const run = testRun();
  const step = foreignSpan({ "gen_ai.operation.name": "chat" }, { TraceId: run.traceId });
  const one = assembler();
  await send(one, startSpan(run), step);
  await send(one, { ...step, SpanId: "f".repeat(16) });
  await send(assembler(), { ...step, SpanId: "e".repeat(16) });
  await send(one, callSpan(run));
  await pass(30);
  expect(new Set(store.history.map(({ run_id }) => run_id))).toEqual(new Set([run.runId]));
});
