import { SCENARIO } from "./scenario.ts";

/** A whole answer, or the texts of an event stream. */
export type ModelBody = { readonly json: object } | { readonly events: readonly string[] };

const { tools, answer, model } = SCENARIO;
const words = answer.match(/\S+\s*/g) ?? [];
const event = (data: object, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

export interface ChatAsked {
  readonly wasToolUsed: boolean;
  readonly isStreamed: boolean;
  /** A stream tells its usage only when asked to. */
  readonly wantsUsage: boolean;
}

/** Of OpenAI's chat completions: first both tool calls, then the answer. */
export function chatBody({ wasToolUsed, isStreamed, wantsUsage }: ChatAsked): ModelBody {
  const base = { id: wasToolUsed ? "chatcmpl-2" : "chatcmpl-1", created: 1_760_000_000, model };
  const usage = { prompt_tokens: 30, completion_tokens: 12, total_tokens: 42 };
  const finish = wasToolUsed ? "stop" : "tool_calls";
  const calls = tools.map(({ name, callId, arguments: args }) => ({
    id: callId,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  }));
  if (!isStreamed) {
    const message = wasToolUsed ? { content: answer } : { content: null, tool_calls: calls };
    const choice = { index: 0, message: { role: "assistant", refusal: null, ...message }, finish_reason: finish };
    return { json: { ...base, object: "chat.completion", choices: [{ ...choice, logprobs: null }], usage } };
  }
  const chunk = (delta: object, reason: string | null = null): string =>
    event({
      ...base,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: reason, logprobs: null }],
    });
  const deltas = wasToolUsed
    ? words.map((content) => chunk({ content }))
    : calls.flatMap((call, index) => [
        chunk({ tool_calls: [{ index, ...call, function: { ...call.function, arguments: "" } }] }),
        chunk({ tool_calls: [{ index, function: { arguments: call.function.arguments } }] }),
      ]);
  const last = wantsUsage ? [event({ ...base, object: "chat.completion.chunk", choices: [], usage })] : [];
  return {
    events: [chunk({ role: "assistant", content: null }), ...deltas, chunk({}, finish), ...last, "data: [DONE]\n\n"],
  };
}

/** Of Anthropic's messages: the same. */
export function messagesBody(wasToolUsed: boolean, isStreamed: boolean): ModelBody {
  const base = { id: wasToolUsed ? "msg_2" : "msg_1", type: "message", role: "assistant", model, stop_sequence: null };
  const usage = { input_tokens: 30, output_tokens: 12 };
  const stop_reason = wasToolUsed ? "end_turn" : "tool_use";
  const blocks = wasToolUsed
    ? [{ type: "text", text: answer }]
    : tools.map((tool) => ({ type: "tool_use", id: tool.callId, name: tool.name, input: tool.arguments }));
  if (!isStreamed) return { json: { ...base, content: blocks, stop_reason, usage } };
  const typed = (data: { readonly type: string } & Readonly<Record<string, unknown>>): string => event(data, data.type);
  return {
    events: [
      typed({ type: "message_start", message: { ...base, content: [], stop_reason: null, usage } }),
      ...blocks.flatMap((block, index) => {
        const [start, deltas] =
          "text" in block
            ? [{ type: "text", text: "" }, words.map((text) => ({ type: "text_delta", text }))]
            : [{ ...block, input: {} }, [{ type: "input_json_delta", partial_json: JSON.stringify(block.input) }]];
        return [
          typed({ type: "content_block_start", index, content_block: start }),
          ...deltas.map((delta) => typed({ type: "content_block_delta", index, delta })),
          typed({ type: "content_block_stop", index }),
        ];
      }),
      typed({ type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 12 } }),
      typed({ type: "message_stop" }),
    ],
  };
}
