import type { Message, NormalisedStep } from "./normalised-step.ts";

/**
 * Some emitters (Anthropic's tool runner) tell with each request only what is new in it. A request that holds the result
 * of a call and not the call is such a one: what came before it in the same agent belongs in front. Steps in start order.
 */
export function withWholeConversations(
  steps: readonly NormalisedStep[],
  agentOf: (step: NormalisedStep) => string,
): NormalisedStep[] {
  const before = new Map<string, NormalisedStep>();
  return steps.map((step) => {
    if (step.kind !== "model") return step;
    const agent = agentOf(step);
    const whole = continued(step, before.get(agent));
    before.set(agent, whole);
    return whole;
  });
}

function continued(step: NormalisedStep, earlier: NormalisedStep | undefined): NormalisedStep {
  const told = step.inputMessages;
  if (told === undefined || earlier === undefined || !lacksItsCalls(told)) return step;
  const { inputMessages = [], outputMessages = [] } = earlier;
  const asked = new Set(outputMessages.flatMap(callIds));
  if (!told.some((message) => responseIds(message).some((id) => asked.has(id)))) return step;
  return {
    ...step,
    inputMessages: [...inputMessages, ...outputMessages, ...told].slice(-MAX_MESSAGES),
    systemInstructions: step.systemInstructions ?? earlier.systemInstructions,
  };
}

const MAX_MESSAGES = 10_000;

function lacksItsCalls(messages: readonly Message[]): boolean {
  const asked = new Set(messages.flatMap(callIds));
  return messages.some((message) => responseIds(message).some((id) => !asked.has(id)));
}

const callIds = ({ parts }: Message): string[] => parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : []));
const responseIds = ({ parts }: Message): string[] =>
  parts.flatMap((part) => (part.type === "tool_call_response" ? [part.id] : []));
