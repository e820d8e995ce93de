import { canonicalJson } from "../../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import type { Message, NormalisedStep } from "./normalised-step.ts";

/**
 * The next request of a conversation repeats the answer before it, as the client understood it. Where the emitter told no
 * answer, or other tool calls (OpenInference runs those of a stream together into one), the client's view is the true one.
 * Steps in start order.
 */
export function withAnswersOfRequests(steps: readonly NormalisedStep[]): NormalisedStep[] {
  const models = steps.filter(({ kind }) => kind === "model");
  return steps.map((step) => {
    const next = step.kind === "model" ? nextOf(step, models) : undefined;
    const repeated = next?.inputMessages?.[step.inputMessages?.length ?? 0];
    if (repeated?.role !== "assistant" || callsOf([repeated]) === callsOf(step.outputMessages)) return step;
    return { ...step, outputMessages: [repeated], withheld: [...step.withheld, REPAIRED] };
  });
}

/** What `withheld` says of an answer that the next request had to tell. */
export const REPAIRED = "the answer, which the next request repeats";

/** A conversation goes on soon; looking further costs the square of the steps. */
const LOOK_AHEAD = 50;

function nextOf(step: NormalisedStep, models: readonly NormalisedStep[]): NormalisedStep | undefined {
  const own = step.inputMessages;
  if (own === undefined) return undefined;
  const at = models.indexOf(step) + 1;
  return models
    .slice(at, at + LOOK_AHEAD)
    .find(({ inputMessages = [] }) => inputMessages.length > own.length && startsWith(inputMessages, own));
}

/** By its ends: comparing all of every request would cost the square of the conversation. */
const startsWith = (messages: readonly Message[], own: readonly Message[]): boolean =>
  isSame(messages[0], own[0]) && isSame(messages[own.length - 1], own.at(-1));

const isSame = (a: Message | undefined, b: Message | undefined): boolean => textOf(a) === textOf(b);

const textOf = (message: Message | undefined): string =>
  message === undefined ? "" : canonicalJson(message as unknown as JsonValue);

const callsOf = (messages: readonly Message[] = []): string =>
  messages
    .flatMap(({ parts }) => parts.flatMap((part) => (part.type === "tool_call" ? [`${part.id} ${part.name}`] : [])))
    .join("\n");
