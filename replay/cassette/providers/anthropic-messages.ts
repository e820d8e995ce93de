import { isJsonObject, parseJson } from "../../../instrumentation/json/json.ts";
import { argumentsText, type OutputMessage } from "./output-message.ts";
import type { ModelAnswer, WireBody, WireEvent } from "./synthesise.ts";

const STOP: Readonly<Record<string, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  content_filter: "refusal",
  tool_call: "tool_use",
  tool_calls: "tool_use",
};

type Part = OutputMessage["parts"][number];

/** An answer of Anthropic's messages. Token counts were not recorded in this form and are 0. */
export function anthropicMessages({ id, model, message }: ModelAnswer, isStreamed: boolean): WireBody {
  const usesTool = message.parts.some((part) => part.type === "tool_call");
  const reason = message.finish_reason ?? (usesTool ? "tool_call" : "stop");
  const stopReason = Object.hasOwn(STOP, reason) ? (STOP[reason] ?? reason) : reason;
  const base = { id: `msg_${id}`, type: "message", role: "assistant", model, stop_sequence: null };
  const usage = { input_tokens: 0, output_tokens: 0 };
  if (!isStreamed) {
    return { json: { ...base, content: message.parts.map(blockOf), stop_reason: stopReason, usage } };
  }
  return {
    events: [
      event({ type: "message_start", message: { ...base, content: [], stop_reason: null, usage } }),
      ...message.parts.flatMap(blockEvents),
      event({
        type: "message_delta",
        delta: { stop_reason: stopReason, stop_sequence: null },
        usage: { output_tokens: 0 },
      }),
      event({ type: "message_stop" }),
    ],
  };
}

const event = (data: { readonly type: string } & Readonly<Record<string, unknown>>): WireEvent => ({
  event: data.type,
  data,
});

function blockOf(part: Part): object {
  if (part.type === "text") return { type: "text", text: part.content };
  const input = typeof part.arguments === "string" ? parseJson(part.arguments) : part.arguments;
  return { type: "tool_use", id: part.id, name: part.name, input: isJsonObject(input) ? input : {} };
}

function blockEvents(part: Part, index: number): WireEvent[] {
  const [start, delta] =
    part.type === "text"
      ? [
          { type: "text", text: "" },
          { type: "text_delta", text: part.content },
        ]
      : [
          { ...blockOf(part), input: {} },
          { type: "input_json_delta", partial_json: argumentsText(part.arguments) },
        ];
  return [
    event({ type: "content_block_start", index, content_block: start }),
    event({ type: "content_block_delta", index, delta }),
    event({ type: "content_block_stop", index }),
  ];
}
