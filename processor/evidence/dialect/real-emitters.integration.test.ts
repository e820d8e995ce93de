import { beforeAll, describe, expect, test } from "vitest";
import { completenessOf } from "./completeness.ts";
import { normaliseRun } from "./normalise-run.ts";
import { EMITTERS, SCENARIOS, bodyFileName } from "./testing/capture/emitters.ts";
import { SCENARIO } from "./testing/capture/scenario.ts";
import { readStoredBodies, storedBodyFiles } from "./testing/capture/stored-bodies.ts";
import { recordOwnRun } from "./testing/own-run.ts";
import { essenceOf } from "./testing/same-run.ts";

const own: Record<string, ReturnType<typeof essenceOf>> = {};

beforeAll(async () => {
  for (const scenario of SCENARIOS) {
    const { spans, logs } = await recordOwnRun(scenario === "stream");
    own[scenario] = essenceOf(normaliseRun(spans, logs));
  }
});

describe("the scenario as runproof itself records it", () => {
  test.each(SCENARIOS)("has its tool calls, messages and answer (%s)", (scenario) => {
    expect(own[scenario]).toMatchObject({ input: SCENARIO.question, answer: SCENARIO.answer });
    expect(own[scenario]?.toolCalls).toEqual(
      SCENARIO.tools
        .map(({ name, callId, arguments: args, result }) => ({
          name,
          callId,
          isCallIdSynthetic: false,
          arguments: args,
          result,
          errorClass: null,
        }))
        .toSorted((a, b) => (a.callId < b.callId ? -1 : 1)),
    );
    expect(own[scenario]?.modelCalls).toHaveLength(2);
    expect(own[scenario]?.modelCalls[1]?.inputMessages).toHaveLength(4);
  });
});

describe("what a real emitter sent", () => {
  test("is stored for every pinned producer and scenario", () => {
    const wanted = EMITTERS.flatMap((emitter) => SCENARIOS.map((scenario) => bodyFileName(emitter, scenario)));
    expect(storedBodyFiles()).toEqual(expect.arrayContaining(wanted));
  });

  test.each(storedBodyFiles())("is the same run as ours: %s", (file) => {
    const { spans, logs } = readStoredBodies(file);
    const scenario = file.includes("-stream.") ? "stream" : "whole";
    expect(essenceOf(normaliseRun(spans, logs))).toEqual(own[scenario]);
  });

  test.each(storedBodyFiles())("can be replayed: %s", (file) => {
    const { spans, logs } = readStoredBodies(file);
    const { grade, missing } = completenessOf(normaliseRun(spans, logs));
    expect({ grade, needed: missing.filter(({ needed }) => needed !== "nothing") }).toEqual({
      grade: "replayable",
      needed: [],
    });
  });

  test("is the same run in whatever order its spans came, and twice", () => {
    const { spans, logs } = readStoredBodies("ai-7.0.173-whole.otlp.json");
    const shuffled = [...spans.toReversed(), ...spans.slice(2)];
    expect(normaliseRun(shuffled, [...logs, ...logs])).toEqual(normaliseRun(spans, logs));
  });

  test("of old log events is the same run with the records twice and turned round", () => {
    const { spans, logs } = readStoredBodies("opentelemetry-instrumentation-openai-0.22.0-whole.otlp.json");
    const expected = essenceOf(normaliseRun(spans, logs));
    expect(essenceOf(normaliseRun(spans, [...logs, ...logs]))).toEqual(expected);
    const without = completenessOf(normaliseRun(spans, []));
    expect(without.grade).toBe("incomplete");
    expect(without.missing).toContainEqual(
      expect.objectContaining({ step: "model m-1 (1 of 2)", field: "output messages", needed: "verdict" }),
    );
  });
});
