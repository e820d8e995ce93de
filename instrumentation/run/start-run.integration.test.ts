import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { trace, type TracerProvider } from "@opentelemetry/api";
import { AlwaysOffSampler, SamplingDecision, type Sampler } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it } from "vitest";
import { contractSha256, ContractError, defineContract, parseContract } from "../contract/contract.ts";
import { canonicalJson, sha256Hex } from "../json/canonical.ts";
import * as semconv from "../semconv.ts";
import { closeRun } from "./close-run.ts";
import { startRun } from "./start-run.ts";
import { calls, evidenceOf, only, startRecorder, type Recorder, type RecorderOptions } from "./testing/recorder.ts";
import { runInContext, withRun } from "./with-run.ts";
import { wrapTool } from "./wrap-tool.ts";

const contract = defineContract({ agent: "writer", tools: { allowed: ["search"] }, limits: { timeoutSeconds: 30 } });
const search = wrapTool({ name: "search", sideEffect: "read" }, async (args: { q: string }) => ({ found: args.q }));

let recorder: Recorder | undefined;
const start = async (options: RecorderOptions = {}): Promise<Recorder> => (recorder = await startRecorder(options));
afterEach(async () => {
  await recorder?.close();
  recorder = undefined;
});

const timed = async <T>(work: Promise<T>): Promise<{ value: T; millis: number }> => {
  const began = performance.now();
  return { value: await work, millis: performance.now() - began };
};

describe("startRun()", () => {
  it("resolves once the start record, with all there is to know about the run, was acknowledged", async () => {
    const seen = await start({ project: "shop", codeVersion: "c0ffee", runType: "canary", fixtureId: "fixture-1" });
    const input = { b: 2, a: "x" };
    const run = await startRun(contract, {
      input,
      taskId: "task-7",
      attempt: 3,
      model: "m-1",
      promptVersion: "p-2",
      state: { queue: ["item"] },
    });
    const record = only(seen.direct(), semconv.RUN_EVENT_START);
    expect(record).toMatchObject({ traceId: run.traceId, parentSpanId: run.rootSpanId, name: "runproof.run start" });
    expect(record.startUnixNano).toBe(record.endUnixNano);
    const { attributes } = record;
    expect(attributes).toMatchObject({
      [semconv.ATTR_RUN_ID]: run.runId,
      [semconv.ATTR_TASK_ID]: "task-7",
      [semconv.ATTR_ATTEMPT]: 3,
      [semconv.ATTR_AGENT_NAME]: "writer",
      [semconv.ATTR_RUN_TYPE]: "canary",
      [semconv.ATTR_FIXTURE_ID]: "fixture-1",
      [semconv.ATTR_CODE_VERSION]: "c0ffee",
      [semconv.ATTR_REQUEST_MODEL]: "m-1",
      [semconv.ATTR_PROMPT_VERSION]: "p-2",
      [semconv.ATTR_TIMEOUT_SECONDS]: 30,
      [semconv.ATTR_PROJECT]: "shop",
      [semconv.ATTR_ROOT_SPAN_ID]: run.rootSpanId,
      [semconv.ATTR_RUN_INPUT]: '{"b":2,"a":"x"}',
      [semconv.ATTR_INPUT_SHA256]: sha256Hex(canonicalJson(input)),
      [semconv.ATTR_RUN_STATE]: '{"queue":["item"]}',
      [semconv.ATTR_CONTRACT]: canonicalJson(contract as never),
      [semconv.ATTR_CONTRACT_SHA256]: contractSha256(contract),
    });
    expect(run.runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(run.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(run.rootSpanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  });

  it("goes on at the deadline with the record in the crash spool when the collector hangs", async () => {
    const seen = await start({ hangs: true, deadlineMillis: 1_000 });
    const { value: run, millis } = await timed(startRun(contract));
    expect(millis).toBeGreaterThan(950);
    expect(millis).toBeLessThan(3_000);
    expect(await spoolText(seen)).toContain(run.runId);
  });

  it.each([
    ["refuses connections", async (seen: Recorder) => await seen.collector.close()],
    ["answers garbage", async (seen: Recorder) => setAnswer(seen, (response) => response.writeHead(200).end("<html>"))],
    ["answers 500", async (seen: Recorder) => setAnswer(seen, (response) => response.writeHead(500).end("no"))],
    ["answers 400", async (seen: Recorder) => setAnswer(seen, (response) => response.writeHead(400).end("no"))],
    ["cuts the connection", async (seen: Recorder) => setAnswer(seen, (response) => response.destroy())],
  ])("never rejects when the collector %s", async (_, misbehave) => {
    const seen = await start();
    await misbehave(seen);
    const { value: run, millis } = await timed(startRun(contract));
    expect(millis).toBeLessThan(8_000); // It did not wait for the deadline of ten.
    expect(await closeRun(run)).toEqual({ runId: run.runId, verdict: null });
  });

  it("records the input in the form the capture option names, and the hash of just that form", async () => {
    const input = { mail: "jane.roe@example.com" };
    const seen = await start({ capture: "full" });
    await startRun(contract, { input });
    expect(only(seen.direct(), "start").attributes[semconv.ATTR_RUN_INPUT]).toBe(canonicalJson(input));
    expect(only(seen.direct(), "start").attributes[semconv.ATTR_INPUT_SHA256]).toBe(sha256Hex(canonicalJson(input)));
    await seen.close();
    const hashed = await start({ capture: "hash" });
    await startRun(contract, { input, state: { a: 1 } });
    const { attributes } = only(hashed.direct(), "start");
    expect(attributes[semconv.ATTR_RUN_INPUT]).toBeUndefined();
    expect(attributes[semconv.ATTR_RUN_STATE]).toBeUndefined();
    expect(attributes[semconv.ATTR_INPUT_SHA256]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("rejects with every problem of a contract that does not parse, and parses a hand-written one", async () => {
    await start();
    await expect(startRun({ agent: 5, bogus: 1 } as never)).rejects.toBeInstanceOf(ContractError);
    const run = await startRun({ agent: "by hand" } as never);
    expect(run.contract.limits.timeoutSeconds).toBe(3_600);
  });

  it("goes on with a gap where the state reader or the folder misbehaves", async () => {
    const seen = await start();
    const withState = defineContract({ agent: "writer", state: { to: ["done"] }, changes: { workspace: "nowhere" } });
    const run = await startRun(withState, {
      readState: () => {
        throw new Error("no database");
      },
    });
    await closeRun(run);
    const evidence = JSON.parse(String(only(seen.direct(), "close").attributes[semconv.ATTR_EVIDENCE]));
    expect(evidence.state).toBeNull();
    expect(evidence.gaps.join("\n")).toContain("the state at the start could not be read: no database");
    expect(evidence.gaps.join("\n")).toContain("no diff of the workspace");
  });

  it("makes a run even with a tracer that throws", async () => {
    const seen = await start();
    const broken = {
      getTracer: () => ({ startSpan: () => raise("no span"), startActiveSpan: () => raise("no span") }),
    };
    trace.setGlobalTracerProvider(broken as unknown as TracerProvider);
    const result = await withRun(contract, async () => await search({ q: "x" }));
    expect(result).toEqual({ found: "x" });
    expect(calls(seen.direct())).toHaveLength(1);
    expect(only(seen.direct(), "run").spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  });
});

const dropping = (drops: (name: string) => boolean): Sampler => ({
  shouldSample: (_context, _traceId, name) => ({
    decision: drops(name) ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED,
  }),
  toString: () => "dropping",
});
const recordOnly: Sampler = {
  shouldSample: () => ({ decision: SamplingDecision.RECORD }),
  toString: () => "recordOnly",
};

describe("the spans of a run", () => {
  it.each<[string, RecorderOptions, "direct" | "exported"]>([
    ["without an SDK", {}, "direct"],
    ["with an SDK", { sdk: true }, "exported"],
    ["sampled out", { sdk: { sampler: new AlwaysOffSampler() } }, "direct"],
    ["recorded but not sampled", { sdk: { sampler: recordOnly } }, "direct"],
  ])("are complete, once, with right parents and times: %s", async (_, options, path) => {
    const seen = await start(options);
    const run = await startRun(contract);
    const outer = wrapTool({ name: "plan" }, async () => [await search({ q: "a" }), await search({ q: "b" })]);
    await runInContext(run, async () => await outer(undefined));
    await closeRun(run);
    const root = only(seen[path](), semconv.RUN_EVENT_ROOT);
    const found = calls(seen[path]());
    const sent = seen.all().filter((span) => span.attributes[semconv.ATTR_CALL_KIND] !== undefined);
    // A span processor that exports unsampled spans too is the test's own doing.
    if (path === "exported") expect(sent).toHaveLength(3);
    expect(found).toHaveLength(3);
    const plan = found.find((span) => span.attributes[semconv.ATTR_TOOL_NAME] === "plan");
    const searches = found.filter((span) => span.attributes[semconv.ATTR_TOOL_NAME] === "search");
    expect(root).toMatchObject({ traceId: run.traceId, spanId: run.rootSpanId, parentSpanId: "" });
    expect(plan).toMatchObject({ traceId: run.traceId, parentSpanId: run.rootSpanId });
    expect(searches.map((span) => span.parentSpanId)).toEqual([plan?.spanId, plan?.spanId]);
    for (const span of found) {
      expect(span.startUnixNano).toBeGreaterThanOrEqual(root.startUnixNano);
      expect(span.endUnixNano).toBeGreaterThanOrEqual(span.startUnixNano);
    }
    expect(root.attributes[semconv.ATTR_CONTRACT]).toBe(canonicalJson(contract as never));
    const distinct = new Set(seen.all().map((span) => span.spanId));
    expect(distinct.size).toBe(6); // start, three calls, root, close
  });

  it("keep their order on the flush-now path, although they fall into one millisecond", async () => {
    const seen = await start();
    await withRun(contract, async () => {
      for (const q of ["a", "b", "c", "d", "e", "f"]) await search({ q });
    });
    const byTime = calls(seen.direct()).toSorted((a, b) => Number(a.startUnixNano - b.startUnixNano));
    expect(byTime.map((span) => span.attributes[semconv.ATTR_CALL_PATH])).toEqual(
      [0, 1, 2, 3, 4, 5].map((ordinal) => `search#${ordinal}`),
    );
    expect(new Set(byTime.map((span) => span.startUnixNano)).size).toBe(6);
  });

  it("take the flush-now path one by one where a sampler drops single calls", async () => {
    const seen = await start({ sdk: { sampler: dropping((name) => name.startsWith("execute_tool")) } });
    await withRun(contract, async () => await search({ q: "a" }));
    expect(only(seen.exported(), semconv.RUN_EVENT_ROOT).name).toBe("invoke_agent writer");
    const [call] = calls(seen.direct());
    expect(call?.parentSpanId).toBe(only(seen.exported(), semconv.RUN_EVENT_ROOT).spanId);
  });

  it.each<[string, RecorderOptions]>([
    ["without an SDK", {}],
    ["with an SDK", { sdk: true }],
    ["sampled out", { sdk: { sampler: new AlwaysOffSampler() } }],
  ])("of a run inside a wrapped tool hang below that call: %s", async (_, options) => {
    const seen = await start(options);
    const helper = defineContract({ agent: "helper" });
    const delegate = wrapTool({ name: "delegate" }, async () => await withRun(helper, async (run) => run.runId));
    let outerId = "";
    const innerId = await withRun(contract, async (run) => {
      outerId = run.runId;
      return await delegate(undefined);
    });
    const roots = seen.all().filter((span) => span.attributes[semconv.ATTR_RUN_EVENT] === semconv.RUN_EVENT_ROOT);
    const inner = roots.find((span) => span.attributes[semconv.ATTR_RUN_ID] === innerId);
    const outer = roots.find((span) => span.attributes[semconv.ATTR_RUN_ID] === outerId);
    const [call] = calls(seen.all());
    expect(inner?.attributes[semconv.ATTR_PARENT_RUN_ID]).toBe(outerId);
    expect(outer?.attributes[semconv.ATTR_PARENT_RUN_ID]).toBeUndefined();
    expect(inner?.traceId).toBe(outer?.traceId);
    expect(inner?.parentSpanId).toBe(call?.spanId);
    expect(inner?.spanId).not.toBe(outer?.spanId);
    expect(call?.attributes[semconv.ATTR_RUN_ID]).toBe(outerId);
  });

  it("reads its state by calls that a replay can answer, and that are no steps of the agent", async () => {
    const seen = await start();
    let orders = 0;
    const getOrders = wrapTool({ name: "get_orders", sideEffect: "read" }, () => ++orders);
    await withRun(contract, async () => {}, { readState: async () => ({ orders: await getOrders(undefined) }) });
    await seen.flush();
    const reads = calls(seen.all()).map(({ attributes }) => [
      attributes[semconv.ATTR_CALL_KIND],
      attributes[semconv.ATTR_CALL_PATH],
    ]);
    expect(reads.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
      ["probe", "state#0/get_orders#0"],
      ["probe", "state#1/get_orders#0"],
    ]);
    const evidence = evidenceOf(only(seen.direct(), "close"));
    expect(evidence).toMatchObject({ state: { before: { orders: 1 }, after: { orders: 2 } }, toolCallCount: 0 });
  });

  it("has its own place, by the agent's name, and its calls are made there", async () => {
    const seen = await start();
    const helper = defineContract({ agent: "helper" });
    const look = wrapTool({ name: "look" }, () => 1);
    const delegated = () => withRun(helper, async () => await look(undefined));
    const outer = await startRun(contract);
    for (let turn = 0; turn < 2; turn++) await runInContext(outer, () => look(undefined));
    await runInContext(outer, () => Promise.all([delegated(), delegated()]));
    await closeRun(outer);
    await seen.flush();
    const paths = calls(seen.all()).map((span) => span.attributes[semconv.ATTR_CALL_PATH]);
    expect(paths.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
      "helper#0/look#0",
      "helper#1/look#0",
      "look#0",
      "look#1",
    ]);
    const inner = seen.all().filter((span) => span.attributes[semconv.ATTR_PARENT_RUN_ID] === outer.runId);
    expect(new Set(inner.map((span) => span.attributes[semconv.ATTR_RUN_PATH]))).toEqual(
      new Set(["helper#0", "helper#1"]),
    );
  });
});

describe("the stored contract", () => {
  it("is redacted, parses, and is the one its hash names", async () => {
    const seen = await start();
    const secret = defineContract({
      agent: "mailer jane.roe@example.com",
      sideEffects: {
        expected: [{ tool: "send", arguments: { to: "jane.roe@example.com", password: "hunter2hunter2" } }],
      },
      tools: { allowed: undefined },
    });
    await withRun(secret, async () => {});
    expect(seen.bodies.join("")).not.toMatch(/jane\.roe@example|hunter2hunter2/);
    const { attributes } = only(seen.direct(), "start");
    const parsed = parseContract(JSON.parse(String(attributes[semconv.ATTR_CONTRACT])));
    expect(contractSha256(parsed)).toBe(attributes[semconv.ATTR_CONTRACT_SHA256]);
  });
});

const raise = (message: string): never => {
  throw new Error(message);
};

function setAnswer(seen: Recorder, answer: NonNullable<Recorder["collector"]["answer"]>): void {
  seen.collector.answer = answer;
}

async function spoolText(seen: Recorder): Promise<string> {
  const folder = join(seen.stateDirectory, "spool");
  const names = await readdir(folder);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")))).join("");
}
