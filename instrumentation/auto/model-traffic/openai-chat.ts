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

/** OpenAI's chat completions, which most other providers and gateways speak too. */
export const openaiChat: ModelApi = {
  operation: semconv.OPERATION_CHAT,
  provider: "openai",
  apiType: "chat_completions",
  path: /\/chat\/completions$/,
  accepts: (body) => Array.isArray(body["messages"]),
  request: (body) => ({
    model: textOf(body["model"]),
    isStreamed: body["stream"] === true,
    parameters: {
      ...samplingParameters(body),
      [semconv.ATTR_REQUEST_MAX_TOKENS]: number(body["max_completion_tokens"]) ?? number(body["max_tokens"]),
      [semconv.ATTR_REQUEST_STOP_SEQUENCES]: textList(body["stop"]),
      [semconv.ATTR_REQUEST_CHOICE_COUNT]: number(body["n"]) === 1 ? undefined : number(body["n"]),
      [semconv.ATTR_OUTPUT_TYPE]: outputType(member(body["response_format"], "type")),
    },
  }),
  input: (body) => ({ messages: objects(body["messages"]).map(messageFrom), tools: functionTools(body["tools"]) }),
  assemble,
  answer,
};

export const samplingParameters = (body: JsonObject) => ({
  [semconv.ATTR_REQUEST_TEMPERATURE]: number(body["temperature"]),
  [semconv.ATTR_REQUEST_TOP_P]: number(body["top_p"]),
  [semconv.ATTR_REQUEST_FREQUENCY_PENALTY]: number(body["frequency_penalty"]),
  [semconv.ATTR_REQUEST_PRESENCE_PENALTY]: number(body["presence_penalty"]),
  [semconv.ATTR_REQUEST_SEED]: number(body["seed"]),
});

export const outputType = (format: JsonValue | undefined): string | undefined =>
  format === "json_object" || format === "json_schema" ? "json" : format === "text" ? "text" : undefined;

/** `{type, function: {name, …}}` of this API, `{type, name, …}` of others; both become the latter. */
export const functionTools = (tools: JsonValue | undefined): JsonObject[] =>
  objects(tools).map((tool) => {
    const inner = tool["function"];
    return isJsonObject(inner) ? { type: "function", ...inner } : tool;
  });

function messageFrom(message: JsonObject): ModelMessage {
  const role = textOf(message["role"]) || "user";
  const name = text(message["name"]);
  const named = name === undefined ? {} : { name };
  if (role === "tool" || role === "function") {
    const response = joinedText(message["content"]) ?? message["content"];
    return { role: "tool", parts: [toolResultPart({ id: message["tool_call_id"], response })], ...named };
  }
  return { role, parts: partsOf(message), ...named };
}

function partsOf(message: JsonObject): MessagePart[] {
  const legacy = message["function_call"];
  return [
    ...[message["reasoning_content"], message["reasoning"]].flatMap((it) =>
      text(it) ? [reasoningPart(textOf(it))] : [],
    ),
    ...contentParts(message["content"]),
    ...(text(message["refusal"]) === undefined ? [] : [{ type: "refusal", content: textOf(message["refusal"]) }]),
    ...objects(message["tool_calls"]).map(toolCallOf),
    ...(isJsonObject(legacy) ? [toolCallOf({ function: legacy })] : []),
  ];
}

function toolCallOf(call: JsonObject): MessagePart {
  const asked = isJsonObject(call["function"]) ? call["function"] : call["custom"];
  const given = member(asked, "arguments") ?? member(asked, "input");
  return toolCallPart({ id: call["id"], name: member(asked, "name"), arguments: writtenJson(given) });
}

function contentParts(content: JsonValue | undefined): MessagePart[] {
  if (typeof content === "string") return content === "" ? [] : [textPart(content)];
  return objects(content).map((part) => {
    const type = textOf(part["type"]);
    if (type === "text") return textPart(textOf(part["text"]));
    if (type === "image_url") return mediaPart("image", member(part["image_url"], "url"));
    if (type === "input_audio") return mediaPart("audio", undefined);
    return type === "file" ? mediaPart("document", undefined) : { type: type || "unknown" };
  });
}

/** Content that is nothing but texts, as one. */
function joinedText(content: JsonValue | undefined): string | undefined {
  if (!Array.isArray(content)) return undefined;
  const texts = objects(content).map((part) => text(part["text"]));
  return texts.every((one) => one !== undefined) ? texts.join("") : undefined;
}

function answer(body: JsonObject): ModelAnswer {
  const choices = objects(body["choices"]);
  const error = body["error"];
  return {
    id: text(body["id"]),
    model: text(body["model"]),
    messages: choices.flatMap(({ message }) =>
      isJsonObject(message) ? [messageFrom({ role: "assistant", ...message })] : [],
    ),
    finishReasons: choices.flatMap((choice) => text(choice["finish_reason"]) ?? []).map(finishReason),
    usage: usageOf(body["usage"]),
    errorCode: errorCodeOf(error),
  };
}

/** `{error: {code, type}}`; a code is not always a text. */
export const errorCodeOf = (error: JsonValue | undefined): string | undefined =>
  isJsonObject(error) ? (text(error["type"]) ?? text(error["code"]) ?? "error") : text(error);

const usageOf = (usage: JsonValue | undefined): ModelUsage => ({
  input: number(member(usage, "prompt_tokens")),
  output: number(member(usage, "completion_tokens")),
  cacheRead: number(member(member(usage, "prompt_tokens_details"), "cached_tokens")),
  reasoning: number(member(member(usage, "completion_tokens_details"), "reasoning_tokens")),
});

interface GrowingChoice {
  readonly message: Record<string, JsonValue>;
  readonly toolCalls: Map<number, GrowingCall>;
  finish: string | undefined;
}

interface GrowingCall {
  id: string;
  name: string;
  arguments: string;
}

/** Joins the deltas of the chunks: texts per choice, tool calls per choice by their `index`. */
function assemble(events: readonly JsonObject[]): JsonObject {
  const choices = new Map<number, GrowingChoice>();
  const whole: Record<string, JsonValue> = {};
  for (const chunk of events) {
    for (const name of ["id", "model", "usage", "error"]) {
      const value = chunk[name];
      if (value !== undefined && value !== null) whole[name] = value;
    }
    for (const choice of objects(chunk["choices"])) growChoice(choices, choice);
  }
  const list = [...choices].sort(([a], [b]) => a - b).map(([index, choice]) => wholeChoice(index, choice));
  return { ...whole, choices: list };
}

const TEXT_DELTAS = ["content", "refusal", "reasoning_content", "reasoning"] as const;

function growChoice(choices: Map<number, GrowingChoice>, choice: JsonObject): void {
  const index = number(choice["index"]) ?? 0;
  const growing: GrowingChoice = choices.get(index) ?? { message: {}, toolCalls: new Map(), finish: undefined };
  choices.set(index, growing);
  growing.finish = text(choice["finish_reason"]) ?? growing.finish;
  const delta = choice["delta"];
  if (!isJsonObject(delta)) return;
  for (const name of TEXT_DELTAS) {
    const piece = text(delta[name]);
    if (piece !== undefined) growing.message[name] = textOf(growing.message[name]) + piece;
  }
  for (const [position, call] of objects(delta["tool_calls"]).entries()) growCall(growing.toolCalls, call, position);
}

function growCall(calls: Map<number, GrowingCall>, delta: JsonObject, position: number): void {
  const index = number(delta["index"]) ?? position;
  const call = calls.get(index) ?? { id: "", name: "", arguments: "" };
  calls.set(index, call);
  call.id ||= textOf(delta["id"]);
  call.name += textOf(member(delta["function"], "name"));
  call.arguments += textOf(member(delta["function"], "arguments"));
}

function wholeChoice(index: number, { message, toolCalls, finish }: GrowingChoice): JsonObject {
  const calls = [...toolCalls].sort(([a], [b]) => a - b).map(([, call]) => call);
  const tool_calls = calls.map(({ id, ...asked }) => ({ id, type: "function", function: asked }));
  return {
    index,
    message: { ...message, ...(tool_calls.length > 0 ? { tool_calls } : {}) },
    ...(finish === undefined ? {} : { finish_reason: finish }),
  };
}
