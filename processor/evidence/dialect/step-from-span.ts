import type { JsonValue } from "../../../instrumentation/json/json.ts";
import type { AttributeMap, LogRow, SpanRow } from "../../clickhouse/rows.ts";
import { eventContent, eventsOf } from "./event-messages.ts";
import { argumentsFrom, resultFrom } from "./message-parts.ts";
import { conversationFrom } from "./messages.ts";
import { FIELDS, type Alias } from "./names.ts";
import type { NormalisedStep, StepKind, Usage } from "./normalised-step.ts";
import { firstNumber, firstText, valuesOf, withheldBy } from "./read-field.ts";
import { readInput, readOutput, readParameters, readToolDefinitions } from "./read-messages.ts";
import { kindOfSpan, type Told } from "./step-kind.ts";

/**
 * Reads one step off its span and the log records that were written within it; `undefined` for a span that is no step
 * of an agent. Pure and total, whatever the attributes hold.
 */
export function stepFromSpan(span: SpanRow, logs: readonly LogRow[] = []): NormalisedStep | undefined {
  const told = kindOfSpan(span);
  if (told === undefined) return undefined;
  const { kind } = told;
  const events = eventContent(eventsOf(span, logs));
  const attributes = merged(span.SpanAttributes, events.attributes);
  const text = (aliases: readonly Alias[]): string => firstText(attributes, aliases, kind);
  const input = readInput(attributes, kind);
  const toldInput = conversationFrom(events.input.length === 0 ? undefined : events.input);
  const toldOutput = conversationFrom(events.output.length === 0 ? undefined : events.output, "assistant").messages;
  const callId = kind === "tool" ? text(FIELDS.callId) : "";
  return {
    ...told,
    spanId: span.SpanId,
    parentSpanId: span.ParentSpanId,
    source: "span",
    name: text(NAMES[kind]) || nameFromSpan(span, told),
    provider: providerOf(text(FIELDS.provider)),
    requestModel: text(FIELDS.requestModel),
    responseModel: text(FIELDS.responseModel),
    conversationId: text(FIELDS.conversationId),
    systemInstructions: input.system ?? toldInput.system,
    inputMessages: input.messages ?? (events.input.length === 0 ? undefined : toldInput.messages),
    outputMessages: readOutput(attributes, kind) ?? (toldOutput.length === 0 ? undefined : toldOutput),
    toolDefinitions: readToolDefinitions(attributes, kind),
    requestParameters: kind === "model" ? readParameters(attributes, kind) : undefined,
    arguments: mapped(firstValue(attributes, FIELDS.arguments, kind), argumentsFrom),
    result: mapped(firstValue(attributes, FIELDS.result, kind), resultFrom),
    callId,
    isCallIdSynthetic: kind === "tool" && callId === "",
    errorClass: errorOf(span, text(FIELDS.errorClass)),
    usage: usageOf(attributes, kind),
    finishReasons: finishReasonsOf(attributes, kind),
    withheld: withheldBy(attributes),
    startUnixNano: span.Timestamp,
    durationNano: span.Duration,
  };
}

const NAMES: Readonly<Record<StepKind, readonly Alias[]>> = {
  agent: FIELDS.agentName,
  workflow: FIELDS.workflowName,
  model: FIELDS.requestModel,
  tool: FIELDS.toolName,
};

/** Events come after, and say what the span could not: they win only where the span says nothing. */
function merged(span: AttributeMap, events: AttributeMap): AttributeMap {
  return Object.keys(events).length === 0 ? span : Object.assign(Object.create(null), events, span);
}

/**
 * OpenInference and OpenLLMetry name agents and tools by their spans alone. Others put an operation before the name, and
 * the AI SDK the model behind it: that is no agent's name.
 */
function nameFromSpan({ SpanName }: SpanRow, { kind, dialect }: Told): string {
  if (kind === "tool")
    return SpanName.replace(/^(execute_tool|anthropic\.\w+|tools\/call)\s+/, "").replace(/\.tool$/, "");
  return kind !== "model" && ["openinference", "traceloop"].includes(dialect) ? SpanName : "";
}

/** The AI SDK says `openai.chat` for what others call `openai`. */
const providerOf = (told: string): string => {
  const [first = ""] = told.split(".");
  return ["openai", "anthropic", "google", "mistral", "azure-openai"].includes(first) ? first : told;
};

function firstValue(attributes: AttributeMap, aliases: readonly Alias[], kind: StepKind): JsonValue | undefined {
  for (const { value } of valuesOf(attributes, aliases, kind)) return value;
  return undefined;
}

const mapped = (value: JsonValue | undefined, map: (value: JsonValue) => JsonValue): JsonValue | undefined =>
  value === undefined ? undefined : map(value);

/** `_OTHER` is the conventions' word for an error without a class. */
const errorOf = ({ StatusCode }: SpanRow, told: string): string | null =>
  told !== "" ? told : StatusCode === "Error" ? "_OTHER" : null;

const usageOf = (attributes: AttributeMap, kind: StepKind): Usage => ({
  input: firstNumber(attributes, FIELDS.usageInput, kind),
  output: firstNumber(attributes, FIELDS.usageOutput, kind),
  cacheRead: firstNumber(attributes, FIELDS.usageCacheRead, kind),
  cacheWrite: firstNumber(attributes, FIELDS.usageCacheWrite, kind),
  reasoning: firstNumber(attributes, FIELDS.usageReasoning, kind),
});

/** What each provider and framework calls the same end. */
const FINISH: Readonly<Record<string, string>> = {
  "tool-calls": "tool_call",
  tool_calls: "tool_call",
  tool_use: "tool_call",
  function_call: "tool_call",
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  "content-filter": "content_filter",
};

function finishReasonsOf(attributes: AttributeMap, kind: StepKind): string[] {
  const value = firstValue(attributes, FIELDS.finishReasons, kind);
  const list = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
  return list
    .filter((one) => typeof one === "string")
    .slice(0, 100)
    .map((one) => (Object.hasOwn(FINISH, one) ? (FINISH[one] ?? one) : one));
}
