import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../../instrumentation/json/json.ts";
import { conversationFrom, type Conversation } from "./messages.ts";
import type { ToolDefinition } from "./normalised-step.ts";
import { firstMember, listMember, member, textMember } from "./unflatten.ts";

/** Parts of a provider's request, by the names that OpenAI, Anthropic, Google and the AI SDK have for them. */
const CONVERSATIONS = ["messages", "input", "contents", "prompt"] as const;
const SYSTEMS = ["system", "instructions", "systemInstruction", "system_instruction"] as const;

/** The conversation of a whole request. A text that is no request is what the user said. */
export function conversationOfRequest(body: JsonValue): Conversation {
  if (!isJsonObject(body)) return conversationFrom(body);
  const told = firstMember(body, CONVERSATIONS);
  const { system, messages } = conversationFrom(told ?? (member(body, "role") === undefined ? undefined : body));
  const instructions = firstMember(body, SYSTEMS) ?? firstMember(settingsOf(body), SYSTEMS);
  return { system: instructions === undefined ? system : systemText(instructions), messages };
}

/** Google's requests keep what is not conversation in `config`. */
const settingsOf = (body: JsonObject): JsonObject => {
  const config = member(body, "config");
  return isJsonObject(config) ? config : {};
};

/** System instructions as a text, parts, messages, or an object around parts. */
export function systemText(value: JsonValue): string | undefined {
  const inner = member(value, "parts") ?? value;
  const list = Array.isArray(inner) ? (inner as readonly JsonValue[]) : [inner];
  const texts = list.map((one) => (typeof one === "string" ? one : textMember(one, "content", "text")));
  return texts.join("") === "" ? undefined : texts.filter((text) => text !== "").join("\n");
}

/** The answer in a whole response, or a text that stands for one. */
export function conversationOfResponse(body: JsonValue): Conversation {
  if (!isJsonObject(body)) return conversationFrom(body, "assistant");
  const listed = listMember(body, "choices") ?? listMember(body, "output") ?? listMember(body, "candidates");
  if (listed !== undefined) return oneAnswer(listed.map((one) => member(one, "message") ?? contentOf(one)));
  const isMessage = member(body, "content") !== undefined || member(body, "parts") !== undefined;
  return isMessage ? oneAnswer([contentOf(body)]) : conversationFrom(undefined);
}

/** Google wraps a message in `content`; Anthropic's content is the list of parts. */
function contentOf(value: JsonValue): JsonValue {
  const content = member(value, "content");
  return isJsonObject(content) && member(content, "parts") !== undefined ? content : value;
}

/** Items of one answer (a thought, a call, a text) are parts of one message. */
function oneAnswer(items: readonly JsonValue[]): Conversation {
  const { system, messages } = conversationFrom(items, "assistant");
  const parts = messages.flatMap((message) => message.parts);
  return { system, messages: parts.length === 0 ? [] : [{ role: "assistant", parts }] };
}

/** Definitions of tools in a list of any form, or in a request that has such a list. `undefined` when it has none. */
export function toolDefinitionsFrom(value: JsonValue | undefined): ToolDefinition[] | undefined {
  const list = Array.isArray(value) ? (value as readonly JsonValue[]) : undefined;
  if (list !== undefined) return list.flatMap(definitionsFrom);
  if (!isJsonObject(value)) return undefined;
  const tools = listMember(value, "tools") ?? listMember(settingsOf(value), "tools") ?? listMember(value, "functions");
  return tools?.flatMap(definitionsFrom);
}

function definitionsFrom(value: JsonValue): ToolDefinition[] {
  if (typeof value === "string") {
    const parsed = parseJson(value);
    return isJsonObject(parsed) ? definitionsFrom(parsed) : value === "" ? [] : [{ name: value }];
  }
  if (!isJsonObject(value)) return [];
  const nested = member(member(value, "tool"), "json_schema") ?? member(value, "function");
  if (nested !== undefined) return definitionsFrom(nested);
  const declared = listMember(value, "functionDeclarations");
  if (declared !== undefined) return declared.flatMap(definitionsFrom);
  const name = textMember(value, "name");
  if (name === "") return [];
  const description = textMember(value, "description");
  const given = firstMember(value, ["parameters", "inputSchema", "input_schema"]);
  const parameters = typeof given === "string" ? parseJson(given) : given;
  return [
    { name, ...(description === "" ? {} : { description }), ...(parameters === undefined ? {} : { parameters }) },
  ];
}
