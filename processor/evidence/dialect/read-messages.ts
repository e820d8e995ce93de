import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../../instrumentation/json/json.ts";
import type { AttributeMap } from "../../clickhouse/rows.ts";
import { conversationFrom, type Conversation } from "./messages.ts";
import { FIELDS, PARAMETER_BODIES, PARAMETER_PREFIX, PARAMETERS, type Alias } from "./names.ts";
import type { Message, StepKind, ToolDefinition } from "./normalised-step.ts";
import { conversationOfRequest, conversationOfResponse, systemText, toolDefinitionsFrom } from "./provider-body.ts";
import { textOfName, valuesOf } from "./read-field.ts";
import { member } from "./unflatten.ts";

/** The conversation that went in: the best source that has messages, and instructions from wherever they are told. */
export function readInput(attributes: AttributeMap, kind: StepKind): Partial<Conversation> {
  let told: Conversation | undefined;
  for (const { alias, value } of valuesOf(attributes, FIELDS.inputMessages, kind)) {
    const conversation = inputFrom(alias, value);
    if (conversation === undefined) continue;
    const hasMessages = conversation.messages.length > 0 || conversation.system !== undefined;
    if (told === undefined && hasMessages) told = conversation;
    if (told?.system !== undefined) break;
    if (told !== undefined && conversation.system !== undefined) told = { ...told, system: conversation.system };
  }
  const system = instructionsOf(attributes, kind) ?? told?.system;
  return { ...(told && { messages: told.messages }), ...(system === undefined ? {} : { system }) };
}

function inputFrom({ form }: Alias, value: JsonValue): Conversation | undefined {
  if (form === "request") return conversationOfRequest(value);
  if (form !== "exchange") return conversationFrom(value);
  const body = exchangedBody(value);
  return body === undefined ? undefined : conversationOfRequest(body);
}

/** The JSON body of one of our HTTP exchanges; what it sent in another form is no conversation. */
const exchangedBody = (value: JsonValue): JsonValue | undefined => member(member(value, "body"), "json");

function instructionsOf(attributes: AttributeMap, kind: StepKind): string | undefined {
  for (const { alias, value } of valuesOf(attributes, FIELDS.systemInstructions, kind)) {
    const text = alias.form === "request" ? conversationOfRequest(value).system : systemText(value);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The answer. The AI SDK tells its text and its tool calls apart: parts of one message. */
export function readOutput(attributes: AttributeMap, kind: StepKind): readonly Message[] | undefined {
  const pieces: JsonValue[] = [];
  for (const { alias, value } of valuesOf(attributes, FIELDS.outputMessages, kind)) {
    if (alias.form === "answer" || alias.form === "answer_calls") {
      pieces.push(...(Array.isArray(value) ? (value as readonly JsonValue[]) : [value]));
      continue;
    }
    if (pieces.length > 0) break;
    const { messages } = outputFrom(alias, value);
    if (messages.length > 0) return messages;
  }
  if (pieces.length === 0) return undefined;
  const { messages } = conversationFrom([{ role: "assistant", content: pieces }]);
  return messages.length === 0 ? undefined : messages;
}

function outputFrom({ form }: Alias, value: JsonValue): Conversation {
  if (form === "response") return conversationOfResponse(value);
  if (form !== "exchange") return conversationFrom(value, "assistant");
  const body = exchangedBody(value);
  return body === undefined ? { system: undefined, messages: [] } : conversationOfResponse(body);
}

export function readToolDefinitions(attributes: AttributeMap, kind: StepKind): readonly ToolDefinition[] | undefined {
  for (const { alias, value } of valuesOf(attributes, FIELDS.toolDefinitions, kind)) {
    const found = toolDefinitionsFrom(alias.form === "exchange" ? exchangedBody(value) : value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Temperature and the like. `undefined` when nothing of the request but its model is told. */
export function readParameters(attributes: AttributeMap, kind: StepKind): JsonObject | undefined {
  const bodies = [...valuesOf(attributes, PARAMETER_BODIES, kind)]
    .map(({ alias, value }) => (alias.form === "exchange" ? exchangedBody(value) : value))
    .filter(isJsonObject);
  const found: [string, JsonValue][] = [];
  for (const [name, others] of Object.entries(PARAMETERS)) {
    const value =
      parameterOf(attributes, [`${PARAMETER_PREFIX}${name}`, ...others]) ?? ofBodies(bodies, [name, ...others]);
    if (value !== undefined) found.push([name, value]);
  }
  return found.length === 0 && bodies.length === 0 ? undefined : Object.fromEntries(found);
}

function parameterOf(attributes: AttributeMap, names: readonly string[]): JsonValue | undefined {
  const text = names.map((name) => textOfName(attributes, name)).find((one) => one !== "");
  return text === undefined ? undefined : (parseJson(text) ?? text);
}

const ofBodies = (bodies: readonly JsonObject[], names: readonly string[]): JsonValue | undefined =>
  bodies.flatMap((body) => names.map((name) => member(body, name))).find((one) => one !== undefined && one !== null);
