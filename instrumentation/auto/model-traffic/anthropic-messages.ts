import { isJsonObject, type JsonObject, type JsonValue } from "../../json/json.ts";
import * as semconv from "../../semconv.ts";
import { member, number, objects, text, textList, writtenJson } from "./json-members.ts";
import { finishReason, type ModelAnswer, type ModelApi, type ModelUsage } from "./model-exchange.ts";
import {
  mediaPart,
  reasoningPart,
  textOf,
  textPart,
  toolCallPart,
  toolResultPart,
  type MessagePart,
  type ModelMessage,
} from "./model-message.ts";
import { errorCodeOf } from "./openai-chat.ts";

/** Anthropic's messages. */
export const anthropicMessages: ModelApi = {
  operation: semconv.OPERATION_CHAT,
  provider: "anthropic",
  path: /\/messages$/,
  accepts: (body) => Array.isArray(body["messages"]) && typeof body["max_tokens"] === "number",
  request: (body) => ({
    model: textOf(body["model"]),
    isStreamed: body["stream"] === true,
    parameters: {
      [semconv.ATTR_REQUEST_MAX_TOKENS]: number(body["max_tokens"]),
      [semconv.ATTR_REQUEST_TEMPERATURE]: number(body["temperature"]),
      [semconv.ATTR_REQUEST_TOP_P]: number(body["top_p"]),
      [semconv.ATTR_REQUEST_TOP_K]: number(body["top_k"]),
      [semconv.ATTR_REQUEST_STOP_SEQUENCES]: textList(body["stop_sequences"]),
    },
  }),
  input: (body) => ({
    messages: objects(body["messages"]).map(messageFrom),
    instructions: blocksOf(body["system"]).map(partFrom),
    tools: objects(body["tools"]).map(toolFrom),
  }),
  assemble,
  answer,
};

/** Blocks that hold nothing but results of tools are the turn of the tools. */
function messageFrom(message: JsonObject): ModelMessage {
  const parts = blocksOf(message["content"]).map(partFrom);
  const isOfTools = parts.length > 0 && parts.every(({ type }) => type === "tool_call_response");
  return { role: isOfTools ? "tool" : textOf(message["role"]) || "user", parts };
}

const blocksOf = (content: JsonValue | undefined): readonly JsonObject[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : objects(content);

function partFrom(block: JsonObject): MessagePart {
  const type = textOf(block["type"]);
  const { id, name } = block;
  if (type === "text") return textPart(textOf(block["text"]));
  if (type === "thinking") return reasoningPart(textOf(block["thinking"]));
  if (type === "tool_use") return toolCallPart({ id, name, arguments: block["input"] });
  if (type === "tool_result") {
    const isError = block["is_error"] === true;
    return toolResultPart({ id: block["tool_use_id"], response: resultOf(block["content"]), isError });
  }
  if (type === "image" || type === "document") return mediaPart(type, urlOf(block["source"]));
  if (type.endsWith("tool_use"))
    return { type: "server_tool_call", name: textOf(name), ...(text(id) ? { id: textOf(id) } : {}) };
  return { type: type || "unknown" };
}

function urlOf(source: JsonValue | undefined): string | undefined {
  const mimeType = text(member(source, "media_type"));
  return text(member(source, "url")) ?? (mimeType === undefined ? undefined : `data:${mimeType},`);
}

function resultOf(content: JsonValue | undefined): JsonValue | undefined {
  const texts = objects(content).map((part) => text(part["text"]));
  return texts.length > 0 && texts.every((one) => one !== undefined) ? texts.join("") : content;
}

function toolFrom(tool: JsonObject): JsonObject {
  const { name, description, input_schema: parameters, type } = tool;
  // Tools that the provider runs itself have a type and no schema.
  if (parameters === undefined) return { ...tool, type: textOf(type) || "function" };
  return {
    type: "function",
    name: textOf(name),
    ...(description === undefined ? {} : { description }),
    parameters,
  };
}

function answer(body: JsonObject): ModelAnswer {
  const parts = objects(body["content"]).map(partFrom);
  const reason = text(body["stop_reason"]);
  return {
    id: text(body["id"]),
    model: text(body["model"]),
    messages: parts.length === 0 ? [] : [{ role: "assistant", parts }],
    finishReasons: reason === undefined ? [] : [finishReason(reason)],
    usage: usageOf(body["usage"]),
    errorCode: errorCodeOf(body["error"]),
  };
}

/** This provider counts cached tokens apart, and the conventions among the rest. */
function usageOf(usage: JsonValue | undefined): ModelUsage {
  const cacheRead = number(member(usage, "cache_read_input_tokens"));
  const cacheCreation = number(member(usage, "cache_creation_input_tokens"));
  const plain = number(member(usage, "input_tokens"));
  return {
    input: plain === undefined ? undefined : plain + (cacheRead ?? 0) + (cacheCreation ?? 0),
    output: number(member(usage, "output_tokens")),
    cacheRead,
    cacheCreation,
  };
}

interface GrowingBlock {
  readonly block: JsonObject;
  text: string;
  json: string;
}

/** Puts the message of `message_start` together with the blocks, by `index`, that were sent piece by piece. */
function assemble(events: readonly JsonObject[]): JsonObject {
  const blocks = new Map<number, GrowingBlock>();
  let head: Record<string, JsonValue> = {};
  for (const event of events) {
    const index = number(event["index"]) ?? 0;
    if (isJsonObject(event["message"])) head = { ...event["message"] };
    else if (isJsonObject(event["content_block"])) {
      const block = event["content_block"];
      blocks.set(index, { block, text: textOf(block["text"]) + textOf(block["thinking"]), json: "" });
    } else if (event["type"] === "content_block_delta") grow(blocks.get(index), event["delta"]);
    else if (event["type"] === "message_delta") head = { ...head, ...lastWords(head["usage"], event) };
    else if (event["type"] === "error") head["error"] = event["error"] ?? "error";
  }
  return { ...head, content: [...blocks].sort(([a], [b]) => a - b).map(([, it]) => wholeBlock(it)) };
}

function grow(growing: GrowingBlock | undefined, delta: JsonValue | undefined): void {
  if (growing === undefined) return;
  growing.json += textOf(member(delta, "partial_json"));
  growing.text += textOf(member(delta, "text")) + textOf(member(delta, "thinking"));
}

function lastWords(usage: JsonValue | undefined, event: JsonObject): Record<string, JsonValue> {
  const delta = isJsonObject(event["delta"]) ? event["delta"] : {};
  const added = isJsonObject(event["usage"]) ? event["usage"] : {};
  return { ...delta, usage: { ...(isJsonObject(usage) ? usage : {}), ...added } };
}

function wholeBlock({ block, text: whole, json }: GrowingBlock): JsonObject {
  const type = block["type"];
  if (type === "text") return { ...block, text: whole };
  if (type === "thinking") return { ...block, thinking: whole };
  return json === "" ? block : { ...block, input: writtenJson(json) ?? json };
}
