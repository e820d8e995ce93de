import { argumentsText, type OutputMessage } from "./output-message.ts";
import type { ModelAnswer, WireBody, WireEvent } from "./synthesise.ts";

type Part = OutputMessage["parts"][number];
type Item = Readonly<Record<string, unknown>> & { readonly type: string; readonly id: string };

/** An answer of OpenAI's responses. Token counts were not recorded in this form and are 0. */
export function openaiResponses({ id, model, message, createdSeconds }: ModelAnswer, isStreamed: boolean): WireBody {
  const items = message.parts.map((part, index) => itemOf(part, `${id.slice(0, 20)}_${index}`));
  const usage = {
    input_tokens: 0,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 0,
  };
  const isCut = message.finish_reason === "length";
  const base = { id: `resp_${id}`, object: "response", created_at: createdSeconds, model, error: null };
  const whole = {
    ...base,
    status: isCut ? "incomplete" : "completed",
    incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
    output: items,
    usage,
  };
  if (!isStreamed) return { json: whole };
  const begun = { ...base, status: "in_progress", incomplete_details: null, output: [], usage: null };
  const told = [
    { type: "response.created", response: begun },
    ...items.flatMap(itemEvents),
    { type: isCut ? "response.incomplete" : "response.completed", response: whole },
  ];
  const events = told.map((data, index): WireEvent => ({
    event: data.type,
    data: { ...data, sequence_number: index },
  }));
  return { events };
}

function itemOf(part: Part, id: string): Item {
  const status = "completed";
  if (part.type === "text") {
    const content = [{ type: "output_text", text: part.content, annotations: [], logprobs: [] }];
    return { type: "message", id: `msg_${id}`, role: "assistant", status, content };
  }
  const { id: callId, name } = part;
  return {
    type: "function_call",
    id: `fc_${id}`,
    call_id: callId,
    name,
    arguments: argumentsText(part.arguments),
    status,
  };
}

type Told = Readonly<Record<string, unknown>> & { readonly type: string };

/** What a client puts together again: the item opens, its text comes in one piece, the item closes. */
function itemEvents(item: Item, index: number): Told[] {
  const at = { item_id: item.id, output_index: index };
  const done = { type: "response.output_item.done", output_index: index, item };
  const opened = (empty: object): Told => ({
    type: "response.output_item.added",
    output_index: index,
    item: { ...item, ...empty, status: "in_progress" },
  });
  if (item.type === "function_call") {
    return [
      opened({ arguments: "" }),
      { type: "response.function_call_arguments.delta", ...at, delta: item["arguments"] },
      { type: "response.function_call_arguments.done", ...at, arguments: item["arguments"] },
      done,
    ];
  }
  const [part] = item["content"] as readonly [{ readonly text: string }];
  const piece = { ...at, content_index: 0 };
  return [
    opened({ content: [] }),
    { type: "response.content_part.added", ...piece, part: { ...part, text: "" } },
    { type: "response.output_text.delta", ...piece, delta: part.text, logprobs: [] },
    { type: "response.output_text.done", ...piece, text: part.text, logprobs: [] },
    { type: "response.content_part.done", ...piece, part },
    done,
  ];
}
