import type { RecordedAnswer } from "../../../instrumentation/auto/http/recorded-answer.ts";
import { hashJson } from "../../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import { type OutputMessage, parseOutputMessage } from "./output-message.ts";

/** Wire formats that an answer can be written in. */
export type WireFormat = "openai_chat" | "openai_responses" | "anthropic_messages";

/** A model's answer as a trace of another instrumentation holds it. */
export interface NormalisedCall {
  readonly model: string;
  /** `gen_ai.output.messages`. */
  readonly outputMessages: JsonValue | undefined;
}

export interface ModelAnswer {
  /** Made from the answer, so that every replay gives the same. */
  readonly id: string;
  readonly model: string;
  readonly message: OutputMessage;
  readonly createdSeconds: number;
}

export interface WireEvent {
  readonly event?: string;
  readonly data: object | string;
}

export type WireBody = { readonly json: object } | { readonly events: readonly WireEvent[] };

const FORMATS: Readonly<Record<WireFormat, (answer: ModelAnswer, isStreamed: boolean) => WireBody>> = {
  openai_chat: openaiChat,
  openai_responses: openaiResponses,
  anthropic_messages: anthropicMessages,
};

/** Format and way of answering that a request asks for. `undefined` for what is no request to a known model API. */
export function wireFormatOf(request: JsonValue | undefined): { format: WireFormat; isStreamed: boolean } | undefined {
  const { url, body } = (request ?? {}) as {
    readonly url?: unknown;
    readonly body?: { readonly json?: { readonly stream?: unknown } };
  };
  const path = typeof url === "string" ? URL.parse(url)?.pathname : undefined;
  const isStreamed = body?.json?.stream === true;
  if (path?.endsWith("/chat/completions") === true) return { format: "openai_chat", isStreamed };
  if (path?.endsWith("/responses") === true) return { format: "openai_responses", isStreamed };
  return path?.endsWith("/v1/messages") === true ? { format: "anthropic_messages", isStreamed } : undefined;
}

/**
 * Writes the answer of a model call in the form its provider sends, for traces that hold only the normalised view. The
 * content is what was recorded; ids and chunks are made up, always the same. `undefined` when the answer holds what has
 * no known form. Pure.
 */
export function synthesisedAnswer(
  call: NormalisedCall,
  format: WireFormat,
  isStreamed: boolean,
): RecordedAnswer | undefined {
  const message = parseOutputMessage(call.outputMessages);
  if (message === undefined) return undefined;
  const id = hashJson(call.outputMessages ?? null).slice(0, 24);
  const body = FORMATS[format]({ id, model: call.model, message, createdSeconds: 0 }, isStreamed);
  const texts = "json" in body ? [JSON.stringify(body.json)] : body.events.map(eventText);
  return {
    status: 200,
    status_text: "OK",
    headers: [["content-type", "json" in body ? "application/json" : "text/event-stream; charset=utf-8"]],
    answered_ms: 0,
    // A millisecond apart: chunks of one offset would come as one.
    chunks: texts.map((text, index) => [index, "utf8", text]),
    end: "complete",
    ended_ms: texts.length,
  };
}

const eventText = ({ event, data }: WireEvent): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
