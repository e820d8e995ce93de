import { isJsonObject, type JsonObject, type JsonValue } from "../../json/json.ts";
import * as semconv from "../../semconv.ts";
import { member, number, objects, text, writtenJson } from "./json-members.ts";
import { finishReason, type ModelAnswer, type ModelApi } from "./model-exchange.ts";
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
import { errorCodeOf, functionTools, outputType, samplingParameters } from "./openai-chat.ts";

/** OpenAI's responses. */
export const openaiResponses: ModelApi = {
  operation: semconv.OPERATION_CHAT,
  provider: "openai",
  apiType: "responses",
  path: /\/responses$/,
  accepts: ({ input, prompt, previous_response_id: previous }) =>
    typeof input === "string" || Array.isArray(input) || isJsonObject(prompt) || typeof previous === "string",
  request: (body) => ({
    model: textOf(body["model"]),
    isStreamed: body["stream"] === true,
    parameters: {
      ...samplingParameters(body),
      [semconv.ATTR_REQUEST_MAX_TOKENS]: number(body["max_output_tokens"]),
      [semconv.ATTR_OUTPUT_TYPE]: outputType(member(member(body["text"], "format"), "type")),
    },
  }),
  input: (body) => ({
    messages: inputMessages(body["input"]),
    instructions: text(body["instructions"]) === undefined ? [] : [textPart(textOf(body["instructions"]))],
    tools: functionTools(body["tools"]),
  }),
  assemble,
  answer,
};

const inputMessages = (input: JsonValue | undefined): ModelMessage[] =>
  typeof input === "string" ? [{ role: "user", parts: [textPart(input)] }] : objects(input).map(itemMessage);

function itemMessage(item: JsonObject): ModelMessage {
  const type = textOf(item["type"]);
  if (type.endsWith("_call_output")) {
    return { role: "tool", parts: [toolResultPart({ id: item["call_id"], response: outputOf(item["output"]) })] };
  }
  if (type === "" || type === "message") {
    return { role: textOf(item["role"]) || "user", parts: contentParts(item["content"]) };
  }
  return { role: "assistant", parts: itemParts(item) };
}

/** A list of text parts is what the model saw as one text. */
function outputOf(output: JsonValue | undefined): JsonValue | undefined {
  const texts = objects(output).map((part) => text(part["text"]));
  return texts.length > 0 && texts.every((one) => one !== undefined) ? texts.join("") : output;
}

function itemParts(item: JsonObject): MessagePart[] {
  const type = textOf(item["type"]);
  if (type === "message") return contentParts(item["content"]);
  if (type === "function_call" || type === "custom_tool_call") {
    const given = item["arguments"] ?? item["input"];
    return [toolCallPart({ id: item["call_id"], name: item["name"], arguments: writtenJson(given) })];
  }
  if (type === "reasoning") {
    return [...objects(item["summary"]), ...objects(item["content"])].map((part) =>
      reasoningPart(textOf(part["text"])),
    );
  }
  // Tools that the provider runs itself.
  return [{ type: "server_tool_call", name: type, ...(text(item["id"]) ? { id: textOf(item["id"]) } : {}) }];
}

function contentParts(content: JsonValue | undefined): MessagePart[] {
  if (typeof content === "string") return [textPart(content)];
  return objects(content).map((part) => {
    const type = textOf(part["type"]);
    if (type.endsWith("text")) return textPart(textOf(part["text"]));
    if (type === "refusal") return { type, content: textOf(part["refusal"]) };
    if (type === "input_image") return mediaPart("image", part["image_url"]);
    if (type === "input_file") return mediaPart("document", part["file_url"]);
    return { type: type || "unknown" };
  });
}

function answer(body: JsonObject): ModelAnswer {
  const output = objects(body["output"]);
  const parts = output.flatMap(itemParts);
  const usage = body["usage"];
  const reason = textOf(member(body["incomplete_details"], "reason")) || textOf(body["status"]);
  const isCall = parts.some(({ type }) => type === "tool_call");
  return {
    id: text(body["id"]),
    model: text(body["model"]),
    messages: parts.length === 0 ? [] : [{ role: "assistant", parts }],
    finishReasons: !ENDED.has(reason) ? [] : [isCall && reason === "completed" ? "tool_call" : finishReason(reason)],
    usage: {
      input: number(member(usage, "input_tokens")),
      output: number(member(usage, "output_tokens")),
      cacheRead: number(member(member(usage, "input_tokens_details"), "cached_tokens")),
      reasoning: number(member(member(usage, "output_tokens_details"), "reasoning_tokens")),
    },
    errorCode: isJsonObject(body["error"]) ? (text(body["error"]["code"]) ?? errorCodeOf(body["error"])) : undefined,
  };
}

const ENDED: ReadonlySet<string> = new Set([
  "completed",
  "max_output_tokens",
  "content_filter",
  "incomplete",
  "failed",
]);

const FINAL: ReadonlySet<string> = new Set(["response.completed", "response.incomplete", "response.failed"]);

/** The last event repeats the whole answer; what was cut before it is put together from its items and their deltas. */
function assemble(events: readonly JsonObject[]): JsonObject {
  const final = events.findLast((event) => FINAL.has(textOf(event["type"])) && isJsonObject(event["response"]));
  if (final !== undefined) return final["response"] as JsonObject;
  const items = new Map<number, JsonObject>();
  let head: JsonObject = {};
  for (const event of events) {
    const type = textOf(event["type"]);
    const at = number(event["output_index"]) ?? 0;
    if (isJsonObject(event["response"])) head = event["response"];
    else if (type === "error") head = { ...head, error: event };
    else if (isJsonObject(event["item"])) items.set(at, event["item"]);
    else if (type.endsWith(".delta")) items.set(at, grown(items.get(at) ?? {}, type, textOf(event["delta"])));
  }
  const output = [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
  return { ...head, output };
}

function grown(item: JsonObject, type: string, delta: string): JsonObject {
  if (type === "response.function_call_arguments.delta") {
    return { ...item, arguments: textOf(item["arguments"]) + delta };
  }
  if (type === "response.custom_tool_call_input.delta") return { ...item, input: textOf(item["input"]) + delta };
  const isReasoning = type.startsWith("response.reasoning");
  if (!isReasoning && type !== "response.output_text.delta") return item;
  const name = isReasoning ? "summary" : "content";
  const sofar = objects(item[name])
    .map((part) => textOf(part["text"]))
    .join("");
  return { ...item, [name]: [{ type: isReasoning ? "summary_text" : "output_text", text: sofar + delta }] };
}
