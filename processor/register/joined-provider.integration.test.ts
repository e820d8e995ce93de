import { createRequire } from "node:module";
import { trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineContract } from "../../instrumentation/contract/contract.ts";
import { withRun } from "../../instrumentation/run/with-run.ts";
import { wrapTool } from "../../instrumentation/run/wrap-tool.ts";
import { configure, resetRuntime } from "../../instrumentation/runtime.ts";
import { INSTRUMENTATION_SCOPE } from "../../instrumentation/semconv.ts";
import { setTracerSource } from "../../instrumentation/tracer-source.ts";
import { JoinedProvider } from "./joined-provider.ts";

/** A provider of the real SDK that keeps its spans. */
function providerInMemory() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  return {
    provider,
    names: () => exporter.getFinishedSpans().map(({ name }) => name),
    spans: () => exporter.getFinishedSpans(),
  };
}

let own: ReturnType<typeof providerInMemory>;
let asked: number;
let joined: JoinedProvider;
const commonJs = (createRequire(import.meta.url)("@opentelemetry/api") as { trace: typeof trace }).trace;
beforeEach(() => {
  own = providerInMemory();
  asked = 0;
  joined = new JoinedProvider(() => {
    asked++;
    return own.provider;
  });
  joined.standBehindApi();
  configure({ endpoint: null, stateDirectory: null });
});
afterEach(() => {
  setTracerSource(undefined);
  for (const api of [trace, commonJs]) api.disable();
  resetRuntime();
});

describe("while the service has no SDK", () => {
  it("takes the spans of either copy of the API, and costs nothing before the first", () => {
    const early = trace.getTracer("early");
    expect(asked).toBe(0);
    early.startSpan("esm").end();
    commonJs.getTracer("required").startActiveSpan("cjs", (span) => span.end());
    expect(own.names()).toEqual(["esm", "cjs"]);
  });

  it("places others' spans in the run and below the call they are made in, without a context manager", async () => {
    setTracerSource(() => joined.current()!.getTracer(INSTRUMENTATION_SCOPE));
    const tool = wrapTool({ name: "t" }, async () => {
      await Promise.resolve();
      trace.getTracer("library").startSpan("in the tool").end();
    });
    await withRun(defineContract({ agent: "a" }), async () => {
      trace.getTracer("library").startSpan("in the run").end();
      trace.getTracer("library").startSpan("alone", { root: true }).end();
      await tool({});
    });
    const byName = new Map(own.spans().map((span) => [span.name, span]));
    const idOf = (name: string) => byName.get(name)?.spanContext().spanId;
    expect(byName.get("in the run")?.parentSpanContext?.spanId).toBe(idOf("invoke_agent a"));
    expect(byName.get("in the tool")?.parentSpanContext?.spanId).toBe(idOf("execute_tool t"));
    expect(byName.get("alone")?.parentSpanContext).toBeUndefined();
  });
});

describe("once the service registers its own", () => {
  it.each([
    ["through the ESM build", trace],
    ["through the CommonJS build", commonJs],
  ])("all spans are its own, also of tracers made before: %s", (_, api) => {
    const [early, other] = [trace.getTracer("early"), commonJs.getTracer("other")];
    early.startSpan("before").end();
    const theirs = providerInMemory();
    expect(api.setGlobalTracerProvider(theirs.provider)).toBe(true);
    early.startSpan("after").end();
    other.startActiveSpan("active", (span) => span.end());
    trace.getTracer("late").startSpan("late").end();
    expect([own.names(), theirs.names()]).toEqual([["before"], ["after", "active", "late"]]);
    expect(joined.theirs()).toBe(theirs.provider);
  });

  it("before ours was there, ours stays away", () => {
    for (const api of [trace, commonJs]) api.disable();
    const theirs = providerInMemory();
    trace.setGlobalTracerProvider(theirs.provider);
    joined.standBehindApi();
    commonJs.getTracer("any").startSpan("theirs").end();
    expect([asked, own.names(), theirs.names()]).toEqual([0, [], ["theirs"]]);
    expect(joined.current()).toBe(theirs.provider);
  });

  it("keeps a run that began before with the tracer it began with", async () => {
    setTracerSource(() => joined.current()!.getTracer(INSTRUMENTATION_SCOPE));
    const theirs = providerInMemory();
    const tool = wrapTool({ name: "t" }, () => 1);
    await withRun(defineContract({ agent: "a" }), async () => {
      trace.setGlobalTracerProvider(theirs.provider);
      await tool({});
    });
    expect([own.names(), theirs.names()]).toEqual([["execute_tool t", "invoke_agent a"], []]);
  });
});
