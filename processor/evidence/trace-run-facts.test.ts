import { describe, expect, test } from "vitest";
import { defineContract, type RunContractInput } from "../../instrumentation/contract/contract.ts";
import { judge } from "../verdict/judge.ts";
import { readStoredBodies, storedBodyFiles, type DecodedBodies } from "./dialect/testing/capture/stored-bodies.ts";
import { foreignSpan } from "./dialect/testing/step-span.ts";
import { runFactsFromTrace, type KnownOfTrace } from "./trace-run-facts.ts";

const stored = (file: string): DecodedBodies => readStoredBodies(`${file}.otlp.json`);

const factsOf = ({ spans, logs }: DecodedBodies, known: Partial<KnownOfTrace> = {}) =>
  runFactsFromTrace({ traceId: spans[0]?.TraceId ?? "", spans, logs }, { contractOf: () => undefined, ...known });

const verdictOf = (bodies: DecodedBodies, contract: Omit<RunContractInput, "agent">) => {
  const promised = defineContract({ agent: "city-guide", ...contract });
  const facts = factsOf(bodies, { contractOf: () => promised });
  return judge(facts.evidence, facts.contract);
};

const weather = { tool: "get_weather", arguments: { city: "Paris", unit: "celsius" } };
const reads = { sideEffects: { get_weather: "read", get_time: "read" } } as const;

describe("the run that a trace of another instrumentation is", () => {
  test.each(storedBodyFiles())("has ended, with its calls and its answer: %s", (file) => {
    const bodies = readStoredBodies(file);
    const facts = factsOf(bodies);
    expect(facts).toMatchObject({
      runId: `trace-${bodies.spans[0]?.TraceId}`,
      input: "What is the weather in Paris, and what time is it there?",
      model: "m-1",
      evidence: { phase: "ended", gaps: [], closing: { answer: "In Paris it is 14:05, 21 degrees and clear." } },
      completeness: { grade: "replayable" },
    });
    expect(facts.evidence.toolCalls.map(({ name }) => name).toSorted()).toEqual(["get_time", "get_weather"]);
    expect(judge(facts.evidence, null)).toMatchObject({ status: "inconclusive", failureClass: "contract_missing" });
  });

  test("is named by the agent where one is told, else by its service", () => {
    expect(factsOf(stored("ai-7.0.173-whole")).agentName).toBe("city-guide");
    expect(factsOf(stored("traceloop-instrumentation-openai-0.27.0-whole")).agentName).toBe("city-guide-service");
  });

  test("is the same for spans in any order and twice, and counts each once", () => {
    const { spans, logs } = stored("opentelemetry-instrumentation-openai-0.22.0-whole");
    // Events of one nanosecond have no order but the one they came in.
    const again = { spans: [...spans.toReversed(), ...spans], logs: [...logs, ...logs.toReversed()] };
    expect(factsOf(again)).toEqual(factsOf({ spans, logs }));
  });

  test("is open as long as no outermost span has come; given up, it has ended with that gap", () => {
    const { spans, logs } = stored("traceloop-instrumentation-openai-0.27.0-whole");
    const children = { spans: spans.filter(({ ParentSpanId }) => ParentSpanId !== ""), logs };
    expect(factsOf(children).evidence).toMatchObject({ phase: "open", closing: null });
    const { evidence } = factsOf(children, { isGivenUp: true });
    expect(evidence).toMatchObject({ phase: "ended", gaps: ["the span that would end the trace never arrived"] });
    expect(judge(evidence, null).status).toBe("inconclusive");
  });

  test("ends with its service's entry, whatever called that", () => {
    const entry = foreignSpan({}, { ParentSpanId: "f".repeat(16), SpanKind: "Server" });
    const model = foreignSpan({ "gen_ai.operation.name": "chat" }, { ParentSpanId: entry.SpanId });
    expect(factsOf({ spans: [model, entry], logs: [] })).toMatchObject({
      rootSpanId: entry.SpanId,
      evidence: { phase: "ended" },
    });
  });
});

describe("its verdict", () => {
  const bodies = stored("ai-7.0.173-whole");
  const inferred = stored("arizeai-openinference-instrumentation-openai-4.2.7-stream");

  test.each([bodies, inferred])("passes by tool calls that the contract asks for and describes", (trace) => {
    const contract = { tools: reads, sideEffects: { expected: [weather] } };
    expect(verdictOf(trace, contract)).toMatchObject({ status: "passed" });
  });

  test.each([bodies, inferred])("fails by a tool call that is missing or forbidden", (trace) => {
    const missing = verdictOf(trace, { tools: reads, sideEffects: { expected: [{ tool: "send_mail" }] } });
    expect(missing).toMatchObject({ status: "failed", failureClass: "side_effect_missing" });
    const forbidden = verdictOf(trace, { tools: { forbidden: ["get_time"] } });
    expect(forbidden).toMatchObject({ status: "failed", failureClass: "tool_not_allowed" });
  });

  test("is not known where only a probe could have looked", () => {
    const artifact = verdictOf(bodies, { artifacts: [{ name: "report", path: "report.md" }] });
    expect(artifact).toMatchObject({ status: "inconclusive", failureClass: "evidence_incomplete" });
    for (const contract of [
      { evidencePaths: { paths: ["a"] } },
      { changes: { expected: ["src/**"] } },
      { state: { to: [1] } },
      { verification: { command: ["true"] } },
      { tools: reads, sideEffects: { expected: [{ ...weather, confirmedBy: "reference" as const }] } },
    ]) {
      expect(verdictOf(bodies, contract).status).toBe("inconclusive");
    }
  });

  test("is not known for a tool whose effects nobody described, and fails for one that is described", () => {
    const contract = { sideEffects: { expected: [weather] } };
    expect(verdictOf(bodies, contract)).toMatchObject({ status: "inconclusive" });
    const writes = { sideEffects: { get_weather: "read", get_time: "write" } } as const;
    expect(verdictOf(bodies, { tools: writes, ...contract })).toMatchObject({
      status: "failed",
      failureClass: "side_effect_unexpected",
    });
  });

  test("is not known when the answers, and so the tool calls, were not captured", () => {
    const { spans } = stored("opentelemetry-instrumentation-openai-0.22.0-whole");
    const verdict = verdictOf({ spans, logs: [] }, { tools: { forbidden: ["get_time"] } });
    expect(verdict).toMatchObject({ status: "inconclusive", failureClass: "evidence_incomplete" });
  });
});
