import { argumentsText, type OutputMessage } from "./output-message.ts";
import type { ModelAnswer, WireBody } from "./synthesise.ts";

const FINISH: Readonly<Record<string, string>> = { tool_call: "tool_calls", tool_calls: "tool_calls" };

/** An answer of OpenAI's chat completions. */
export function openaiChat({ id, model, message, createdSeconds }: ModelAnswer, isStreamed: boolean): WireBody {
  const base = { id: `chatcmpl-${id}`, created: createdSeconds, model };
  const text = textOf(message);
  const calls = message.parts
    .filter((part) => part.type === "tool_call")
    .map((call) => ({
      id: call.id,
      type: "function",
      function: { name: call.name, arguments: argumentsText(call.arguments) },
    }));
  const reason = message.finish_reason ?? (calls.length > 0 ? "tool_calls" : "stop");
  const finish = Object.hasOwn(FINISH, reason) ? (FINISH[reason] ?? reason) : reason;
  if (!isStreamed) {
    const tools = calls.length > 0 ? { tool_calls: calls } : {};
    const choice = {
      index: 0,
      message: { role: "assistant", content: text, refusal: null, ...tools },
      logprobs: null,
      finish_reason: finish,
    };
    return { json: { ...base, object: "chat.completion", choices: [choice] } };
  }
  const chunk = (delta: object, finishReason: string | null): { data: object } => ({
    data: {
      ...base,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    },
  });
  return {
    events: [
      chunk({ role: "assistant", content: text === null ? null : "" }, null),
      ...(text === null ? [] : [chunk({ content: text }, null)]),
      ...calls.map((call, index) => chunk({ tool_calls: [{ index, ...call }] }, null)),
      chunk({}, finish),
      { data: "[DONE]" },
    ],
  };
}

function textOf({ parts }: OutputMessage): string | null {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.content] : []));
  return texts.length === 0 ? null : texts.join("");
}
