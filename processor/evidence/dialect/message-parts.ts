import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../../instrumentation/json/json.ts";
import type { MessagePart } from "./normalised-step.ts";
import { firstMember, listMember, member, textMember } from "./unflatten.ts";

/** The content of a message in any of the forms that providers and frameworks write, as parts. Total. */
export function partsFrom(content: JsonValue | undefined): MessagePart[] {
  if (content === undefined || content === null || content === "") return [];
  if (typeof content === "string") return [{ type: "text", content }];
  const list = Array.isArray(content) ? (content as readonly JsonValue[]) : [content];
  return list.flatMap(partFrom);
}

const TEXTS = new Set(["text", "input_text", "output_text", "refusal"]);
const CALLS = new Set(["tool_call", "tool-call", "tool_use", "function_call", "function", "server_tool_call"]);
const RESPONSES = new Set(["tool_call_response", "tool-result", "tool_result", "function_call_output"]);
const THOUGHTS = new Set(["reasoning", "thinking"]);

function partFrom(value: JsonValue): MessagePart[] {
  if (typeof value === "string") return value === "" ? [] : [{ type: "text", content: value }];
  if (!isJsonObject(value)) return [];
  // OpenInference wraps a part.
  const wrapped = member(value, "message_content");
  if (isJsonObject(wrapped)) return partFrom(wrapped);
  const type = textMember(value, "type");
  if (CALLS.has(type) || isUntypedCall(value)) return [toolCallFrom(value)];
  if (RESPONSES.has(type) || member(value, "functionResponse") !== undefined) return [toolResponseFrom(value)];
  if (THOUGHTS.has(type)) return textPart("reasoning", textMember(value, "content", "text", "thinking"));
  const text = textMember(value, "content", "text");
  if (TEXTS.has(type) || (type === "" && text !== "")) return textPart("text", text || textMember(value, "refusal"));
  return [{ type: "other", was: type, value }];
}

const textPart = (type: "text" | "reasoning", content: string): MessagePart[] =>
  content === "" ? [] : [{ type, content }];

const isUntypedCall = (value: JsonObject): boolean =>
  member(value, "functionCall") !== undefined ||
  member(value, "tool_call") !== undefined ||
  (textMember(value, "type") === "" && textMember(value, "toolName", "name") !== "" && hasArguments(value));

const ARGUMENTS = ["arguments", "args", "input"] as const;
const hasArguments = (value: JsonObject): boolean => ARGUMENTS.some((name) => member(value, name) !== undefined);

/** A call in any form; the name and arguments may sit one level deeper. */
export function toolCallFrom(value: JsonValue): MessagePart & { readonly type: "tool_call" } {
  const outer = member(value, "tool_call") ?? member(value, "functionCall") ?? value;
  const inner = member(outer, "function") ?? outer;
  const given = isJsonObject(inner) ? firstMember(inner, ARGUMENTS) : undefined;
  return {
    type: "tool_call",
    id: textMember(outer, "id", "toolCallId", "call_id"),
    name: textMember(inner, "name", "toolName"),
    arguments: argumentsFrom(given),
  };
}

/** Providers send arguments as JSON text, frameworks as what it parses to; none are an empty object. */
export function argumentsFrom(given: JsonValue | undefined): JsonValue {
  if (given === undefined || given === null || given === "") return {};
  return typeof given === "string" ? (parseJson(given) ?? given) : given;
}

function toolResponseFrom(value: JsonObject): MessagePart {
  const inner = member(value, "functionResponse") ?? value;
  const given = isJsonObject(inner) ? firstMember(inner, ["response", "result", "output", "content"]) : undefined;
  return {
    type: "tool_call_response",
    id: textMember(inner, "id", "toolCallId", "tool_use_id", "call_id", "tool_call_id"),
    response: resultFrom(given),
    ...(saysError(inner) || saysError(given) ? { isError: true } : {}),
  };
}

/** Anthropic's `is_error`, MCP's `isError`, the AI SDK's outputs of the type `error-…`. */
export const saysError = (value: JsonValue | undefined): boolean =>
  member(value, "is_error") === true ||
  member(value, "isError") === true ||
  textMember(value, "type").startsWith("error-");

const OUTPUT_TYPES = new Set(["json", "text", "error-json", "error-text", "content"]);

/** What a tool gave back, out of its wrappings: texts that are JSON documents, lists of text blocks, typed outputs. */
export function resultFrom(given: JsonValue | undefined): JsonValue {
  if (given === undefined) return null;
  if (typeof given === "string") return /^\s*[[{]/.test(given) ? (parseJson(given) ?? given) : given;
  if (Array.isArray(given)) return textOfBlocks(given as readonly JsonValue[]) ?? given;
  const value = OUTPUT_TYPES.has(textMember(given, "type")) ? member(given, "value") : undefined;
  if (value !== undefined) return resultFrom(value);
  // MCP's result: the structured form if it has one, else its blocks.
  const blocks = listMember(given, "content");
  const structured = member(given, "structuredContent");
  if (blocks !== undefined && isJsonObject(structured)) return structured;
  return (blocks && textOfBlocks(blocks)) ?? given;
}

/** `undefined` when a block is something else than text. */
function textOfBlocks(blocks: readonly JsonValue[]): JsonValue | undefined {
  if (blocks.length === 0) return undefined;
  const texts = blocks.map((block) =>
    textMember(block, "type") === "text" ? textMember(block, "text", "content") : "",
  );
  return texts.includes("") ? undefined : resultFrom(texts.join(""));
}
