import type { JsonObject, JsonValue } from "../../json/json.ts";

/** A part of a message as the GenAI conventions have it: `text`, `tool_call`, `tool_call_response`, `reasoning` … */
export type MessagePart = JsonObject & { readonly type: string };

/** A message as the GenAI conventions have it. */
export interface ModelMessage {
  readonly role: string;
  readonly parts: readonly MessagePart[];
  readonly name?: string;
}

export const textPart = (content: string): MessagePart => ({ type: "text", content });

export const reasoningPart = (content: string): MessagePart => ({ type: "reasoning", content });

export interface ToolCall {
  readonly id: JsonValue | undefined;
  readonly name: JsonValue | undefined;
  readonly arguments: JsonValue | undefined;
}

export const toolCallPart = (call: ToolCall): MessagePart => ({
  type: "tool_call",
  name: textOf(call.name),
  ...(typeof call.id === "string" ? { id: call.id } : {}),
  ...(call.arguments === undefined ? {} : { arguments: call.arguments }),
});

export interface ToolResult {
  readonly id: JsonValue | undefined;
  readonly response: JsonValue | undefined;
  /** The provider's own word for a result that reports a failure. */
  readonly isError?: boolean;
}

export const toolResultPart = ({ id, response, isError = false }: ToolResult): MessagePart => ({
  type: "tool_call_response",
  ...(typeof id === "string" ? { id } : {}),
  response: response ?? null,
  ...(isError ? { is_error: true } : {}),
});

/** Pictures, sounds and documents: only what they are. The recorded request holds their bytes. */
export function mediaPart(modality: string, source: JsonValue | undefined): MessagePart {
  if (typeof source !== "string") return { type: "blob", modality, content: "" };
  const mimeType = /^data:([\w.+/-]{1,100})[;,]/.exec(source)?.[1];
  if (mimeType === undefined) return { type: "uri", modality, uri: source.slice(0, MAX_URI) };
  return { type: "blob", modality, mime_type: mimeType, content: "" };
}

const MAX_URI = 2_000;

export const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
