import type { SideEffectClass, ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { MissingField, NormalisedStep } from "./dialect/index.ts";
import { NO_RESULT, type SideEffectsByTool } from "./inferred-tool-calls.ts";
import type { RecordedCall } from "./recorded-call.ts";

/** What a trace of another instrumentation says of its calls, in the form that cassettes and the verdict are made from. */
export interface TraceCalls {
  readonly calls: readonly RecordedCall[];
  readonly evidence: readonly ToolCallEvidence[];
}

/** Paths are those of an agent whose tools are called one after the other from its outermost place. Pure. */
export function traceCalls(
  steps: readonly NormalisedStep[],
  missing: readonly MissingField[],
  sideEffects: SideEffectsByTool,
): TraceCalls {
  const ordinals = new Map<string, number>();
  const problems = Map.groupBy(
    missing.filter(({ needed }) => needed !== "nothing"),
    ({ spanId }) => spanId,
  );
  const calls = steps
    .filter(({ kind }) => kind === "tool" || kind === "model")
    .map((step): RecordedCall => {
      const { name } = step;
      const ordinal = ordinals.get(name) ?? 0;
      ordinals.set(name, ordinal + 1);
      const lacks = (problems.get(step.spanId) ?? []).map(({ field }) => `the trace lacks its ${field}`);
      const common = { ...base(step), path: `${name}#${ordinal}`, problems: lacks };
      return step.kind === "tool" ? { ...common, ...toolCall(step, sideEffects) } : { ...common, ...modelCall(step) };
    });
  const evidence = calls.filter(({ kind }) => kind === "tool").map(evidenceOf);
  const inferred = new Set(steps.filter(({ source }) => source === "messages").map(({ spanId }) => spanId));
  return { calls, evidence: evidence.map((one) => (inferred.has(one.spanId) ? { ...one, isInferred: true } : one)) };
}

const base = (step: NormalisedStep) => ({
  spanId: step.spanId,
  parentSpanId: step.parentSpanId,
  name: step.name,
  callId: step.callId,
  argumentsSha256: null,
  errorClass: step.errorClass,
  attempts: [],
  reference: null,
  startUnixNano: step.startUnixNano,
  durationNano: step.durationNano,
});

type Content = Pick<RecordedCall, "kind" | "sideEffect" | "arguments" | "result" | "thrown" | "errorClass">;

function toolCall(step: NormalisedStep, sideEffects: SideEffectsByTool): Content {
  const isUnanswered = step.source === "messages" && step.result === undefined;
  return {
    kind: "tool",
    sideEffect: classOf(step.name, sideEffects),
    arguments: step.arguments,
    result: step.result,
    thrown: null,
    // Nobody can tell whether it was made.
    errorClass: isUnanswered ? NO_RESULT : step.errorClass,
  };
}

/** A class that nobody declared may do anything. */
const classOf = (tool: string, sideEffects: SideEffectsByTool): SideEffectClass =>
  Object.hasOwn(sideEffects, tool) ? (sideEffects[tool] ?? "write") : "write";

/** The request and the answer as messages: there is no body to keep. */
const modelCall = (step: NormalisedStep): Content => ({
  kind: "model",
  sideEffect: "read",
  arguments: {
    model: step.requestModel,
    provider: step.provider,
    ...(step.systemInstructions === undefined ? {} : { system_instructions: step.systemInstructions }),
    ...(step.inputMessages === undefined ? {} : { input_messages: step.inputMessages as unknown as JsonValue }),
  },
  result: answerOf(step),
  thrown: null,
  errorClass: step.errorClass,
});

function answerOf({ outputMessages, finishReasons: [finish_reason] }: NormalisedStep): JsonValue | undefined {
  const told = outputMessages?.map((message) =>
    finish_reason === undefined ? message : { ...message, finish_reason },
  );
  return told as unknown as JsonValue | undefined;
}

const evidenceOf = (call: RecordedCall): ToolCallEvidence => ({
  spanId: call.spanId,
  callId: call.callId,
  name: call.name,
  sideEffect: call.sideEffect,
  arguments: call.arguments,
  argumentsSha256: null,
  result: call.result,
  errorClass: call.errorClass,
  attempts: [],
  reference: null,
  startUnixNano: call.startUnixNano,
});
