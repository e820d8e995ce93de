import type { NormalisedStep } from "./normalised-step.ts";
import { askedCalls, callText, type AskedCall } from "./asked-calls.ts";

/**
 * The tool calls of a run: those that have spans, completed by what the conversation says of them, and those that only
 * the conversation tells of (a hand-written loop makes no spans for its tools).
 */
export function toolSteps(steps: readonly NormalisedStep[]): NormalisedStep[] {
  const asked = askedCalls(steps.filter(({ kind }) => kind === "model"));
  const taken = new Set<AskedCall>();
  const told = steps.filter(({ kind }) => kind === "tool");
  // Those with an id first: the rest is found among what they leave.
  const calls = new Map<NormalisedStep, AskedCall | undefined>();
  for (const step of told.filter(({ callId }) => callId !== "")) calls.set(step, take(asked, taken, byId(step)));
  for (const step of told.filter(({ callId }) => callId === "")) {
    const exact = callText(step.name, step.arguments);
    const isExact = (call: AskedCall): boolean => callText(call.name, call.arguments) === exact;
    const isNamed = (call: AskedCall): boolean => step.arguments === undefined && call.name === step.name;
    calls.set(step, take(asked, taken, isExact) ?? take(asked, taken, isNamed));
  }
  const inferred = asked.filter((call) => !taken.has(call)).map(inferredStep);
  return [...told.map((step) => withCall(step, calls.get(step))), ...inferred];
}

const byId =
  (step: NormalisedStep) =>
  (call: AskedCall): boolean =>
    call.id === step.callId && (step.name === "" || call.name === "" || call.name === step.name);

function take(
  asked: readonly AskedCall[],
  taken: Set<AskedCall>,
  fits: (call: AskedCall) => boolean,
): AskedCall | undefined {
  const found = asked.find((call) => !taken.has(call) && fits(call));
  if (found !== undefined) taken.add(found);
  return found;
}

function withCall(step: NormalisedStep, call: AskedCall | undefined): NormalisedStep {
  const callId = step.callId || call?.id || `${step.spanId}#call`;
  if (call === undefined) return { ...step, callId };
  return {
    ...step,
    callId,
    name: step.name || call.name,
    arguments: step.arguments ?? call.arguments,
    result: step.result ?? call.answer?.value,
    errorClass: step.errorClass ?? (call.answer?.isError === true ? TOOL_ERROR : null),
  };
}

/** What OpenTelemetry's MCP conventions call a result that says "error". */
const TOOL_ERROR = "tool_error";

function inferredStep(call: AskedCall): NormalisedStep {
  const { askedBy, answer } = call;
  const asked = BigInt(askedBy.startUnixNano) + BigInt(askedBy.durationNano);
  const end = answer === undefined ? asked : BigInt(answer.toldBy.startUnixNano) - 1n;
  // Before the request that has its result, whatever the clocks of spans say.
  const start = end < asked ? end : asked;
  return {
    ...askedBy,
    kind: "tool",
    source: "messages",
    spanId: `${askedBy.spanId}#${call.id}`,
    name: call.name,
    systemInstructions: undefined,
    inputMessages: undefined,
    outputMessages: undefined,
    toolDefinitions: undefined,
    requestParameters: undefined,
    arguments: call.arguments,
    result: answer?.value,
    callId: call.id,
    isCallIdSynthetic: call.id === "",
    errorClass: answer?.isError === true ? TOOL_ERROR : null,
    usage: { input: null, output: null, cacheRead: null, cacheWrite: null, reasoning: null },
    finishReasons: [],
    withheld: [],
    startUnixNano: String(start),
    durationNano: String(end - start),
  };
}
