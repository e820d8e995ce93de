import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startCollector, type LoopbackCollector } from "../transport/testing/loopback-collector.ts";

/** The agent's process pays for nothing of ours: not with an exception, not with memory, not with its exit. */

const INDEX = new URL("../index.ts", import.meta.url).href;
let folder: string;
let collector: LoopbackCollector;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-agent-"));
  collector = await startCollector();
});
afterEach(async () => {
  await collector.close();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an agent's program in a process of its own. Any unhandled rejection would end it with code 1. */
async function agent(program: string, env: Record<string, string> = {}): Promise<Ended> {
  const source = `import * as runproof from ${JSON.stringify(INDEX)};\nconst contract = runproof.defineContract({ agent: "a" });\n${program}`;
  const environment = {
    PATH: process.env["PATH"],
    RUNPROOF_ENDPOINT: collector.url,
    RUNPROOF_STATE_DIR: join(folder, "state"),
    ...env,
  };
  const ran = promisify(execFile)(process.execPath, ["--expose-gc", "--input-type=module", "-e", source], {
    env: environment,
    cwd: process.cwd(),
    timeout: 120_000,
  });
  return await ran.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  );
}

const SDK = `
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
const exporter = new OTLPTraceExporter({ url: process.env.RUNPROOF_ENDPOINT });
new NodeSDK({ autoDetectResources: false, instrumentations: [], metricReaders: [], logRecordProcessors: [],
  spanProcessors: [new BatchSpanProcessor({ exporter })] }).start();
`;

describe("an agent's process", () => {
  it.each([
    ["without an SDK", ""],
    ["with the batch processor of an SDK", SDK],
  ])("may exit right after withRun(): nothing of the run is lost %s", async (_, setUp) => {
    const { code, stderr } = await agent(`${setUp}
      const tool = runproof.wrapTool({ name: "t" }, (n) => n);
      await runproof.withRun(contract, async () => { await tool(1); await tool(2); });
      process.exit(0);`);
    expect([code, stderr]).toEqual([0, ""]);
    const names = collector.spans.map((span) => span.name).toSorted();
    expect(names).toEqual([
      "execute_tool t",
      "execute_tool t",
      "invoke_agent a",
      "runproof.run close",
      "runproof.run start",
    ]);
  });

  it.each([
    ["the spool folder cannot be made", { RUNPROOF_STATE_DIR: "/dev/null/state" }],
    ["the endpoint is no URL", { RUNPROOF_ENDPOINT: "not a url" }],
    ["the endpoint speaks another protocol", { RUNPROOF_ENDPOINT: "ftp://127.0.0.1:1" }],
    ["a header is not one", { RUNPROOF_HEADERS: "a b=c%0Ad,x=%00" }],
    ["it is switched off", { OTEL_SDK_DISABLED: "true" }],
  ])("does its work and ends well although %s", async (_, env) => {
    const program = `
      const tool = runproof.wrapTool({ name: "t" }, (n) => n + 1);
      const result = await runproof.withRun(contract, async (run) => {
        await runproof.recordEvent(run, "e"); await runproof.recordArtifact(run, { name: "f", path: "f" });
        return await tool(1);
      });
      console.log("result", result);`;
    expect(await agent(program, env)).toEqual({ code: 0, stdout: "result 2\n", stderr: "" });
  });

  it("is not slowed down and does not grow without bound while the collector hangs", async () => {
    collector.answer = () => {};
    const { code, stdout, stderr } = await agent(`
      const run = await runproof.startRun(contract);
      const attributes = { text: "x".repeat(1_000) };
      for (let n = 0; n < 1_000; n++) void runproof.recordEvent(run, "warm", attributes);
      await new Promise((resolve) => setTimeout(resolve, 700));
      gc(); const before = process.memoryUsage();
      const began = performance.now();
      for (let n = 0; n < 10_000; n++) { await runproof.recordEvent(run, "e", attributes); }
      const perEvent = (performance.now() - began) / 10_000;
      gc(); const after = process.memoryUsage();
      console.log(JSON.stringify({ perEvent, heap: after.heapUsed - before.heapUsed, external: after.external - before.external, pending: run.pending.size }));
      const closing = performance.now(); await runproof.closeRun(run);
      console.log(Math.round(performance.now() - closing));
      process.exit(0);`);
    expect([code, stderr]).toEqual([0, ""]);
    const [figures, closed] = stdout.trim().split("\n");
    const { perEvent, heap, external, pending } = JSON.parse(figures ?? "{}") as Record<string, number>;
    expect(perEvent).toBeLessThan(5);
    expect(heap).toBeLessThan(16 * 1024 * 1024);
    expect(external).toBeLessThan(16 * 1024 * 1024);
    expect(pending).toBeLessThan(100);
    expect(Number(closed)).toBeLessThan(20_000);
  });

  it("ends by itself when its work is done, also while the collector hangs", async () => {
    collector.answer = () => {};
    const began = performance.now();
    const { code } = await agent(`await runproof.withRun(contract, () => 1);`, {});
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it("sees its own error, and no second one, when everything of ours breaks", async () => {
    await writeFile(join(folder, "x"), "");
    const { code, stdout, stderr } = await agent(`
      import { diag, trace } from "@opentelemetry/api";
      const boom = () => { throw new Error("ours"); };
      diag.setLogger({ error: boom, warn: boom, info: boom, debug: boom, verbose: boom }, { suppressOverrideMessage: true });
      trace.setGlobalTracerProvider({ getTracer: () => new Proxy({}, { get: () => boom }) });
      process.on("unhandledRejection", (error) => console.log("unhandled", error));
      const hostile = new Proxy({}, { get: boom, ownKeys: boom, has: boom, getPrototypeOf: boom });
      const tool = runproof.wrapTool({ name: "t", errorOf: boom, referenceOf: boom }, () => "fine");
      const agents = new Error("the agent's");
      const failing = runproof.wrapTool({ name: hostile, capture: 5 }, () => { throw agents; });
      await runproof.withRun(contract, async (run) => {
        console.log(await tool(hostile));
        await failing(hostile).catch((error) => console.log(error === agents));
        await runproof.recordEvent(run, hostile, hostile);
        await runproof.recordArtifact(run, hostile);
        run.setAnswer(hostile); run.claim(hostile, hostile);
        throw agents;
      }, { input: hostile, state: hostile, taskId: hostile, model: hostile }).catch((error) => console.log(error === agents));`);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("fine\ntrue\ntrue\n");
  });
});
