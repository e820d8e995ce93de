// An agent with an OpenTelemetry SDK of its own, no collector, and runproof installed from its tarball. Argument: the
// SDK's line. Plays one set-up after the other, and prints how the runs of each were closed and what its exporter got.
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { context, diag, DiagLogLevel, propagation, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { defineContract, recordArtifact, withRun, wrapTool } from "runproof";
import { RunSpanProcessor } from "runproof/processor";

const line = process.argv[2];
const sdkTrace = await import(line === "2.x" ? "@opentelemetry/sdk-trace-base" : "@opentelemetry/sdk-trace");

let warnings = [];
let closed = {};
const ignore = () => {};
diag.setLogger(
  { error: ignore, warn: (text) => warnings.push(text), info: ignore, debug: ignore, verbose: ignore },
  DiagLogLevel.WARN,
);

const exporter = new sdkTrace.InMemorySpanExporter();
const exporting = new sdkTrace.SimpleSpanProcessor(line === "2.x" ? exporter : { exporter });

/** A processor with a bug in one of its methods. */
const throwing = (method) => ({
  onStart: ignore,
  onEnding: ignore,
  onEnd: ignore,
  forceFlush: async () => {},
  shutdown: async () => {},
  [method]() {
    throw new Error("a neighbour's bug");
  },
});

function startSdk({ processors, sampler }) {
  const sdk = new NodeSDK({
    serviceName: "own-sdk",
    autoDetectResources: false,
    spanProcessors: processors,
    ...(sampler === undefined ? {} : { sampler }),
  });
  sdk.start();
}

const contractOf = (name) =>
  defineContract({
    agent: "writer",
    artifacts: [{ name: "report", kind: "file", path: `${name}.txt`, minBytes: 5 }],
    tools: { allowed: ["write_file"] },
    sideEffects: { expected: [{ tool: "write_file", arguments: { name }, times: { exactly: 1 } }], others: "forbid" },
  });

const writeTool = wrapTool({ name: "write_file", sideEffect: "write" }, async ({ name }) => {
  await sleep(Math.random() * 20);
  if (!name.startsWith("broken")) await writeFile(`${name}.txt`, "a report");
  return { ok: true };
});

/** One run: a tool call, an artifact, a claim. `broken…` claims a report that it never wrote. */
const write = (name, inside = async () => {}) =>
  withRun(
    contractOf(name),
    async (run) => {
      await writeTool({ name });
      await inside();
      await recordArtifact(run, { name: "report", path: `${name}.txt` });
      run.claim("done");
      return "done!";
    },
    { taskId: name, onClosed: ({ verdict }) => (closed[name] = verdict) },
  );

const twoRuns = async () => {
  await write("good");
  await write("broken");
};
const many = Array.from({ length: 12 }, (_, at) => `${at % 3 === 0 ? "broken" : "good"}-${at}`);

const PLAYS = {
  async before() {
    startSdk({ processors: [new RunSpanProcessor(), exporting] });
    await twoRuns();
  },
  async after() {
    startSdk({ processors: [exporting, new RunSpanProcessor()] });
    await twoRuns();
  },
  async concurrent() {
    startSdk({ processors: [new RunSpanProcessor(), exporting] });
    await Promise.all(many.map((name) => write(name)));
  },
  async nested() {
    startSdk({ processors: [new RunSpanProcessor(), exporting] });
    await write("good-parent", async () => {
      await Promise.all([write("broken-child"), write("good-child", () => write("good-grandchild"))]);
    });
  },
  async dropped() {
    const sampler = { shouldSample: () => ({ decision: 0 }), toString: () => "drops everything" };
    startSdk({ processors: [new RunSpanProcessor(), exporting], sampler });
    await twoRuns();
  },
  async recordedUnsampled() {
    const sampler = { shouldSample: () => ({ decision: 1 }), toString: () => "records, exports nothing" };
    startSdk({ processors: [new RunSpanProcessor(), exporting], sampler });
    await twoRuns();
  },
  async bounds() {
    startSdk({ processors: [new RunSpanProcessor({ maxRuns: 2, maxCallsPerRun: 2 }), exporting] });
    await write("good-evicted", () => write("good-middle", () => write("good-newest")));
    await write("good-after");
    const another = wrapTool({ name: "write_file", sideEffect: "read" }, async () => "again");
    await write("good-too-many-calls", async () => {
      for (let call = 0; call < 3; call++) await another({ call });
    });
  },
  async droppedCalls() {
    const shouldSample = (_context, _traceId, name) => ({ decision: name.startsWith("execute_tool") ? 0 : 2 });
    const sampler = { shouldSample, toString: () => "drops tool calls" };
    startSdk({ processors: [new RunSpanProcessor(), exporting], sampler });
    await twoRuns();
  },
  async throwingOnStart() {
    startSdk({ processors: [new RunSpanProcessor(), throwing("onStart"), exporting] });
    await twoRuns();
  },
  async throwingOnEndingBefore() {
    startSdk({ processors: [throwing("onEnding"), new RunSpanProcessor(), exporting] });
    await twoRuns();
  },
  async throwingOnEndingAfter() {
    startSdk({ processors: [new RunSpanProcessor(), throwing("onEnding"), exporting] });
    await twoRuns();
  },
  async throwingOnEnd() {
    startSdk({ processors: [new RunSpanProcessor(), throwing("onEnd"), exporting] });
    await twoRuns();
  },
  async limits() {
    process.env.OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT = "300";
    startSdk({ processors: [new RunSpanProcessor(), exporting] });
    delete process.env.OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT;
    await twoRuns();
  },
  async structuredAttributes() {
    startSdk({ processors: [new RunSpanProcessor(), exporting] });
    const circular = {};
    circular.itself = circular;
    const contract = contractOf("good");
    await withRun(
      contract,
      async () => {
        trace.getActiveSpan()?.setAttribute("their.object", circular);
        const noisy = wrapTool({ name: "write_file", sideEffect: "write" }, async () => {
          trace.getActiveSpan()?.setAttributes({ "their.circular": circular, "their.bytes": new Uint8Array(8) });
          await writeFile("good.txt", "a report");
        });
        await noisy({ name: "good" });
      },
      { onClosed: ({ verdict }) => (closed.good = verdict) },
    );
  },
};

/** Plays in a folder of its own, and leaves the process as it was. */
async function played(name, play) {
  closed = {};
  warnings = [];
  exporter.reset();
  await mkdir(name);
  process.chdir(name);
  let thrown;
  await play().catch((error) => (thrown = error.stack));
  process.chdir("..");
  for (const api of [trace, context, propagation]) api.disable();
  return { closed, spans: exporter.getFinishedSpans().map(told), warnings, thrown };
}

const told = (span) => ({
  name: span.name,
  spanId: span.spanContext().spanId,
  attributes: Object.fromEntries(Object.entries(span.attributes).filter(([name]) => !name.startsWith("their."))),
  events: span.events.map(({ name, attributes }) => ({ name, attributes })),
});

const results = {};
for (const [name, play] of Object.entries(PLAYS)) results[name] = await played(name, play);
process.stdout.write(JSON.stringify(results));
