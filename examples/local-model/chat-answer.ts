import type { Reply } from "./script.ts";

/** The same for every answer, so that a recording shows no difference where there is none. */
const base = (model: string) => ({ id: "chatcmpl-local", created: 1_760_000_000, model });
const USAGE = { prompt_tokens: 64, completion_tokens: 16, total_tokens: 80 };

interface Answer {
  readonly model: string;
  readonly reply: Reply;
  /** What the ids of its tool calls begin with. */
  readonly idPrefix: string;
}

/** One answer as OpenAI's chat completions give it. */
export const chatCompletion = ({ model, reply, idPrefix }: Answer) => ({
  ...base(model),
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message:
        "say" in reply
          ? { role: "assistant", content: reply.say, refusal: null }
          : { role: "assistant", content: null, refusal: null, tool_calls: toolCalls(reply, idPrefix) },
      finish_reason: finishReason(reply),
      logprobs: null,
    },
  ],
  usage: USAGE,
});

/** The same answer as the events of a stream, words and arguments in pieces. */
export function chatEvents({ model, reply, idPrefix }: Answer): string[] {
  const chunk = (delta: object, finish: string | null = null) => ({
    ...base(model),
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
  });
  const deltas =
    "say" in reply
      ? pieces(reply.say).map((content) => ({ content }))
      : toolCalls(reply, idPrefix).flatMap((call, index) => [
          { tool_calls: [{ index, ...call, function: { ...call.function, arguments: "" } }] },
          ...pieces(call.function.arguments).map((text) => ({
            tool_calls: [{ index, function: { arguments: text } }],
          })),
        ]);
  const chunks = [
    chunk({ role: "assistant", content: "say" in reply ? "" : null }),
    ...deltas.map((delta) => chunk(delta)),
    chunk({}, finishReason(reply)),
  ];
  return [...chunks.map((one) => JSON.stringify(one)), "[DONE]"].map((data) => `data: ${data}\n\n`);
}

const finishReason = (reply: Reply): string => ("say" in reply ? "stop" : "tool_calls");

const toolCalls = (reply: Extract<Reply, { call: unknown }>, idPrefix: string) =>
  reply.call.map(([name, args], index) => ({
    id: `${idPrefix}${index}`,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  }));

const pieces = (text: string): string[] => text.match(/[^]{1,24}/g) ?? [];
