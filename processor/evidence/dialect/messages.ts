import { isJsonObject, type JsonValue } from "../../../instrumentation/json/json.ts";
import { partsFrom, resultFrom, toolCallFrom } from "./message-parts.ts";
import type { Message, MessagePart } from "./normalised-step.ts";
import { listMember, member, textMember } from "./unflatten.ts";

/** A conversation with its system messages apart, because some dialects tell them apart and some do not. */
export interface Conversation {
  readonly system: string | undefined;
  readonly messages: readonly Message[];
}

/** A list of messages of one request is bounded by the text it came from; this bounds what is made of it. */
const MAX_MESSAGES = 10_000;

/** Messages in any form that providers and frameworks write. `role` is that of a bare text. Total. */
export function conversationFrom(value: JsonValue | undefined, role = "user"): Conversation {
  const list = Array.isArray(value) ? (value as readonly JsonValue[]) : value === undefined ? [] : [value];
  const all = list.slice(0, MAX_MESSAGES).flatMap((one) => messagesFrom(one, role));
  const system = all.filter((message) => message.role === "system").map(textOf);
  const messages = all.filter((message) => message.role !== "system").flatMap(withResponsesApart);
  return { system: system.length === 0 ? undefined : system.join("\n"), messages };
}

const ROLES: Readonly<Record<string, string>> = {
  model: "assistant",
  ai: "assistant",
  human: "user",
  developer: "system",
  function: "tool",
};

function messagesFrom(value: JsonValue, role: string): Message[] {
  if (typeof value === "string") return value === "" ? [] : [{ role, parts: partsFrom(value) }];
  if (!isJsonObject(value)) return [];
  const message = member(value, "message");
  if (isJsonObject(message)) return messagesFrom(message, role);
  const type = textMember(value, "type");
  // Items of OpenAI's responses stand beside the messages.
  if (type === "function_call" || type === "reasoning") return [{ role: "assistant", parts: partsFrom(value) }];
  if (type === "function_call_output") return [{ role: "tool", parts: partsFrom(value) }];
  const told = textMember(value, "role").toLowerCase();
  const own = Object.hasOwn(ROLES, told) ? (ROLES[told] ?? told) : told || role;
  const calls = (listMember(value, "tool_calls") ?? []).map(toolCallFrom);
  return [{ role: own, parts: [...contentOf(value, own), ...calls] }];
}

function contentOf(value: JsonValue, role: string): MessagePart[] {
  const content = member(value, "parts") ?? member(value, "content") ?? member(value, "contents");
  const id = textMember(value, "tool_call_id", "id");
  const parts = partsFrom(content);
  // A tool's message in OpenAI's form: the content is the result.
  if (role !== "tool" || parts.some((part) => part.type === "tool_call_response")) return parts;
  return [{ type: "tool_call_response", id, response: resultFrom(content) }];
}

/** Some put results of tools into a user's message, some several into one: each is a message of its own here. */
function withResponsesApart({ role, parts }: Message): Message[] {
  const responses = parts.filter((part) => part.type === "tool_call_response");
  const rest = parts.filter((part) => part.type !== "tool_call_response");
  return [
    ...responses.map((part): Message => ({ role: "tool", parts: [part] })),
    ...(rest.length === 0 ? [] : [{ role, parts: rest }]),
  ];
}

/** The text of a message, without thoughts and calls. */
export const textOf = ({ parts }: Message): string =>
  parts.flatMap((part) => (part.type === "text" ? [part.content] : [])).join("");
