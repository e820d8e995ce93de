// The agent's process of overhead.ts. Arguments: what to do, how often. Prints one line of JSON with what it cost.
import http from "node:http";
import { trace } from "@opentelemetry/api";

const [work, count] = [process.argv[2], Number(process.argv[3])];
/** Spans between two exports: fewer than a queue of the SDK holds. */
const CHUNK = 400;
const WARM_UP = 8_000;

const args = { city: "Berlin", days: 3, units: "metric" };
const answer = {
  city: "Berlin",
  forecast: [{ day: 1, low: 3, high: 9 }],
  text: "Cloudy with some rain in the evening.",
};
const attributes = {
  "gen_ai.operation.name": "execute_tool",
  "gen_ai.tool.name": "forecast",
  "gen_ai.tool.type": "function",
  "runproof.call.kind": "tool",
  "runproof.call.path": "forecast#0",
  "runproof.tool.side_effect": "read",
};
const content = {
  "gen_ai.tool.call.arguments": JSON.stringify(args),
  "gen_ai.tool.call.result": JSON.stringify(answer),
};

/** What anybody would write around a tool: a span, no content, the error if there is one. */
const bareTool = (tracer) => async () => {
  const span = tracer.startSpan("execute_tool forecast", { attributes });
  try {
    return await forecast();
  } finally {
    span.end();
  }
};
const forecast = async () => answer;

const spanOf = (tracer) => () => {
  const span = tracer.startSpan("execute_tool forecast", { attributes });
  span.setAttributes(content);
  span.end();
};

async function bareProvider() {
  const { BatchSpanProcessor, TracerProvider } = await import("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
  const exporter = new OTLPTraceExporter({ url: process.env.RUNPROOF_ENDPOINT });
  return new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
}

/** CPU time of `count` operations and their export, microseconds each. */
async function cost(operation, flush, inRun = (chunk) => chunk()) {
  let micros = 0;
  for (let done = -WARM_UP; done < count; done += CHUNK) {
    await inRun(async () => {
      const before = process.cpuUsage();
      for (let n = 0; n < CHUNK; n++) await operation();
      await flush();
      const { user, system } = process.cpuUsage(before);
      if (done >= 0) micros += user + system;
    });
  }
  return micros / count;
}

/** Calls of a wrapped tool inside a run. */
async function costInRun() {
  const { defineContract, withRun, wrapTool } = await import("../dist/instrumentation/index.js");
  const contract = defineContract({ agent: "bench" });
  const tool = wrapTool({ name: "forecast", sideEffect: "read" }, forecast);
  const flush = () => trace.getTracerProvider().getDelegate().forceFlush();
  return await cost(
    () => tool(args),
    flush,
    (chunk) => withRun(contract, chunk),
  );
}

const WORKS = {
  /** An agent that talks HTTP, as every agent does, and has no telemetry. */
  async plain() {
    await fetch(process.env.MODEL_URL).then((it) => it.text());
    await new Promise((resolve) => http.get(process.env.MODEL_URL, (it) => it.resume().on("end", resolve)));
    return 0;
  },
  async bareSpans() {
    const provider = await bareProvider();
    return await cost(spanOf(provider.getTracer("agent")), () => provider.forceFlush());
  },
  async ourSpans() {
    return await cost(spanOf(trace.getTracer("agent")), () => trace.getTracerProvider().getDelegate().forceFlush());
  },
  async bareTools() {
    const provider = await bareProvider();
    return await cost(bareTool(provider.getTracer("agent")), () => provider.forceFlush());
  },
  async tools() {
    return await cost(forecast, async () => {});
  },
  async ourIdleTools() {
    const { wrapTool } = await import("../dist/instrumentation/index.js");
    const tool = wrapTool({ name: "forecast", sideEffect: "read" }, forecast);
    return await cost(
      () => tool(args),
      async () => {},
    );
  },
  ourTools: () => costInRun(),
};

const micros = await WORKS[work]();
if (work !== "plain") await WORKS.plain();
for (let n = 0; n < 3; n++) {
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const { heapUsed, rss } = process.memoryUsage();
process.stdout.write(`${JSON.stringify({ micros, residentMiB: rss / 2 ** 20, heapMiB: heapUsed / 2 ** 20 })}\n`);
process.exit(0);
