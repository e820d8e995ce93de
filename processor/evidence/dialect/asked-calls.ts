import { canonicalJson } from "../../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import type { Message, MessagePart, NormalisedStep } from "./normalised-step.ts";

/** A tool call that a model asked for, and what the conversation says came of it. */
export interface AskedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonValue;
  readonly askedBy: NormalisedStep;
  /** The next request that holds its result. */
  answer: { readonly value: JsonValue; readonly isError: boolean; readonly toldBy: NormalisedStep } | undefined;
}

/** Of one run; more are left out. */
const MAX_CALLS = 10_000;

/** The tool calls in the conversations of a run's model calls, in the order they were asked for. */
export function askedCalls(modelCalls: readonly NormalisedStep[]): AskedCall[] {
  const asked: AskedCall[] = [];
  const byId = new Map<string, AskedCall[]>();
  const ask = (part: ToolCallPart, askedBy: NormalisedStep): void => {
    if (asked.length >= MAX_CALLS) return;
    const call: AskedCall = { id: part.id, name: part.name, arguments: part.arguments, askedBy, answer: undefined };
    asked.push(call);
    byId.set(part.id, [...(byId.get(part.id) ?? []), call]);
  };
  for (const step of modelCalls) {
    for (const part of partsOf(step.inputMessages)) {
      // The answer that asked was not told, or is of a time before the run.
      if (part.type === "tool_call" && !byId.has(part.id)) ask(part, step);
    }
    takeAnswers(step, byId);
    for (const part of partsOf(step.outputMessages)) if (part.type === "tool_call") ask(part, step);
  }
  return asked;
}

type ToolCallPart = MessagePart & { readonly type: "tool_call" };
const partsOf = (messages: readonly Message[] | undefined): MessagePart[] =>
  (messages ?? []).flatMap((message) => message.parts);

/** Some models number their calls anew in every answer: the n-th result of an id is that of the n-th call. */
function takeAnswers(step: NormalisedStep, byId: ReadonlyMap<string, readonly AskedCall[]>): void {
  const seen = new Map<string, number>();
  for (const part of partsOf(step.inputMessages)) {
    if (part.type !== "tool_call_response") continue;
    const nth = seen.get(part.id) ?? 0;
    seen.set(part.id, nth + 1);
    const call = byId.get(part.id)?.[nth];
    if (call === undefined || call.answer !== undefined) continue;
    call.answer = { value: part.response, isError: part.isError === true, toldBy: step };
  }
}

/** Tells calls apart that have no id: the same tool with the same arguments. */
export const callText = (name: string, args: JsonValue | undefined): string =>
  `${name} ${args === undefined ? "" : canonicalJson(args)}`;
