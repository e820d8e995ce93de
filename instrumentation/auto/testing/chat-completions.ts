import type { Reply } from "./provider-server.ts";

type Said = Exclude<Reply, { status: number }>;

let answers = 0;

/** No two answers have the same id: there are stacks that take the second for a new version of the first. */
const base = () => ({ id: `chatcmpl-${++answers}`, created: 1_760_000_000, model: "m-1" });
const USAGE = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

const toolCalls = (reply: Said) =>
  "calls" in reply
    ? reply.calls.map(({ id, name, args }) => ({
        id,
        type: "function",
        function: { name, arguments: JSON.stringify(args) },
      }))
    : [];

const finishOf = (reply: Said): string => ("calls" in reply ? "tool_calls" : "stop");

export function chatJson(reply: Said): unknown {
  const message =
    "calls" in reply
      ? { role: "assistant", content: null, refusal: null, tool_calls: toolCalls(reply) }
      : { role: "assistant", content: reply.text, refusal: null };
  const choice = { index: 0, message, finish_reason: finishOf(reply), logprobs: null };
  return { ...base(), object: "chat.completion", choices: [choice], usage: USAGE };
}

export function chatEvents(reply: Said): string[] {
  const common = { ...base(), object: "chat.completion.chunk" };
  const event = (delta: object, finish: string | null): string => {
    const choice = { index: 0, delta, finish_reason: finish, logprobs: null };
    return `data: ${JSON.stringify({ ...common, choices: [choice] })}\n\n`;
  };
  const content =
    "calls" in reply
      ? toolCalls(reply).map((call, index) => event({ tool_calls: [{ index, ...call }] }, null))
      : reply.text.split(/(?<= )/).map((word) => event({ content: word }, null));
  const begin = event({ role: "assistant", content: "" }, null);
  if ("thenHang" in reply && reply.thenHang === true) return [begin, ...content, "hang"];
  return [begin, ...content, event({}, finishOf(reply)), "data: [DONE]\n\n"];
}
