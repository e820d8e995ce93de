import { diag, DiagLogLevel, type Span } from "@opentelemetry/api";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it } from "vitest";
import { contractSha256, defineContract } from "../instrumentation/contract/contract.ts";
import type { ClosingEvidence } from "../instrumentation/contract/evidence.ts";
import * as semconv from "../instrumentation/semconv.ts";
import { RunSpanProcessor, type RunSpanProcessorOptions } from "./span-processor.ts";

/** Spans as `startRun()`, `wrapTool()` and `closeRun()` make them, on a real SDK. */

const contract = defineContract({
  agent: "mailer",
  sideEffects: { expected: [{ tool: "send", arguments: { to: "ada" } }] },
});

function setUp(options?: RunSpanProcessorOptions) {
  const exporter = new InMemorySpanExporter();
  const processor = new RunSpanProcessor(options);
  const provider = new TracerProvider({ spanProcessors: [processor, new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer("runproof");
  const startRun = (runId: string, attributes: Record<string, string> = {}): Span =>
    tracer.startSpan("invoke_agent mailer", {
      attributes: {
        [semconv.ATTR_RUN_EVENT]: semconv.RUN_EVENT_ROOT,
        [semconv.ATTR_RUN_ID]: runId,
        [semconv.ATTR_AGENT_NAME]: "mailer",
        [semconv.ATTR_CONTRACT]: JSON.stringify(contract),
        [semconv.ATTR_CONTRACT_SHA256]: contractSha256(contract),
        ...attributes,
      },
    });
  const call = (runId: string, to = "ada"): void =>
    tracer
      .startSpan("execute_tool send", {
        attributes: {
          [semconv.ATTR_RUN_ID]: runId,
          [semconv.ATTR_CALL_KIND]: "tool",
          [semconv.ATTR_TOOL_NAME]: "send",
          [semconv.ATTR_SIDE_EFFECT]: "send",
          [semconv.ATTR_TOOL_CALL_ARGUMENTS]: JSON.stringify({ to }),
          [semconv.ATTR_TOOL_CALL_RESULT]: "{}",
        },
      })
      .end();
  const close = (root: Span, toolCallCount: number): ReadableSpan | undefined => {
    root.setAttribute(semconv.ATTR_EVIDENCE, JSON.stringify(closing(toolCallCount)));
    root.end();
    return exporter.getFinishedSpans().at(-1);
  };
  return { processor, provider, exporter, tracer, startRun, call, close };
}

const closing = (toolCallCount: number): ClosingEvidence => ({
  version: 1,
  claim: null,
  error: null,
  artifacts: [],
  paths: [],
  changedPaths: null,
  state: null,
  verification: null,
  answer: null,
  toolCallCount,
  stepCount: toolCallCount,
  gaps: [],
});

const statusOf = (span: ReadableSpan | undefined): unknown => span?.attributes[semconv.ATTR_VERDICT_STATUS];

afterEach(() => diag.disable());

describe("the verdict on a run's root span", () => {
  it("follows from the calls of that run", () => {
    const { startRun, call, close } = setUp();
    const kept = startRun("kept");
    const other = startRun("other");
    call("kept");
    call("other", "eve");
    expect(statusOf(close(kept, 1))).toBe("passed");
    const span = close(other, 1);
    expect(statusOf(span)).toBe("failed");
    expect(span?.events.map((event) => [event.name, event.attributes?.["gen_ai.evaluation.score.label"]])).toEqual([
      [semconv.EVENT_EVALUATION_RESULT, "failed"],
    ]);
  });

  it("says what is missing when the run made no call", () => {
    const { startRun, close } = setUp();
    const span = close(startRun("idle"), 0);
    expect(span?.attributes).toMatchObject({
      [semconv.ATTR_VERDICT_STATUS]: "failed",
      [semconv.ATTR_VERDICT_FAILURE_CLASS]: "side_effect_missing",
      [semconv.ATTR_VERDICT_FAILURE_REASON]: expect.stringContaining("send"),
    });
  });

  it("is put on no span but that", () => {
    const { startRun, call, close, exporter, tracer } = setUp();
    const root = startRun("run");
    call("run");
    tracer.startSpan("somebody else's").end();
    close(root, 1);
    expect(exporter.getFinishedSpans().map((span) => [span.name, statusOf(span)])).toEqual([
      ["execute_tool send", undefined],
      ["somebody else's", undefined],
      ["invoke_agent mailer", "passed"],
    ]);
  });
});

describe("a run that was not seen whole is left to the collector", () => {
  it("when more runs are open than may be, also if its later calls arrive", () => {
    const { startRun, call, close } = setUp({ maxRuns: 2 });
    const [first, second] = [startRun("first"), startRun("second")];
    call("first");
    const third = startRun("third");
    for (const run of ["first", "second", "third"]) call(run);
    expect(statusOf(close(first, 1))).toBeUndefined();
    expect(statusOf(close(second, 1))).toBe("passed");
    expect(statusOf(close(third, 1))).toBe("passed");
  });

  it("when it makes more calls than may be held, and not one call earlier", () => {
    for (const [calls, expected] of [
      [3, "failed"],
      [4, undefined],
    ] as const) {
      const { startRun, call, close } = setUp({ maxCallsPerRun: 3 });
      const root = startRun("busy");
      for (let made = 0; made < calls; made++) call("busy");
      expect(statusOf(close(root, calls))).toBe(expected);
    }
  });

  it("when fewer calls were seen than made", () => {
    const { startRun, call, close } = setUp();
    const root = startRun("sampled");
    call("sampled");
    expect(statusOf(close(root, 2))).toBeUndefined();
  });

  it.each([
    ["contract", { [semconv.ATTR_CONTRACT]: JSON.stringify(contract).slice(0, 40) }],
    ["contract's hash", { [semconv.ATTR_CONTRACT_SHA256]: "0".repeat(64) }],
  ])("when its %s does not hold", (_what, attributes) => {
    const { startRun, call, close } = setUp();
    const root = startRun("cut", attributes);
    call("cut");
    expect(statusOf(close(root, 1))).toBeUndefined();
  });

  it("when its evidence is missing", () => {
    const { startRun, exporter } = setUp();
    startRun("bare").end();
    expect(statusOf(exporter.getFinishedSpans().at(-1))).toBeUndefined();
  });

  it("when the processor was shut down in between", async () => {
    const { startRun, call, close, processor } = setUp();
    const root = startRun("late");
    call("late");
    await processor.shutdown();
    await processor.shutdown();
    expect(statusOf(close(root, 1))).toBeUndefined();
  });
});

it("nothing that spans hold makes the processor throw", () => {
  const warnings: string[] = [];
  const ignore = (): void => {};
  const logger = {
    error: ignore,
    info: ignore,
    debug: ignore,
    verbose: ignore,
    warn: (text: string) => warnings.push(text),
  };
  diag.setLogger(logger, DiagLogLevel.WARN);
  const hostile = {
    get attributes(): never {
      throw new Error("hostile");
    },
  } as never;
  const processor = new RunSpanProcessor();
  processor.onStart(hostile);
  processor.onEnding(hostile);
  processor.onEnd(hostile);
  expect(warnings).toHaveLength(3);
  expect(warnings.join()).toContain("hostile");
});
