import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type ScenarioServer, startScenarioServer } from "./scenario-server.ts";

/** Answers like the model providers do: whole, as a stream, and after having asked to be tried again. */
export const startModelServer = (): Promise<ScenarioServer> =>
  startScenarioServer({
    "/v1/chat/completions": (response, { body, count }) => (count === 1 ? busy(response) : chatAnswer(response, body)),
    "/v1/responses": (response, { body }) => responsesAnswer(response, body),
    "/v1/messages": (response, { body, count }) => (count === 1 ? busy(response) : messagesAnswer(response, body)),
  });

const WORDS = ["Otters ", "hold ", "hands ", "🦦🦦."];

const busy = (response: ServerResponse): unknown =>
  response
    .writeHead(429, { "content-type": "application/json", "retry-after-ms": "5", "retry-after": "0" })
    .end('{"error":{"type":"rate_limit_error","message":"slow down"}}');

const isStreamed = (body: Buffer): boolean => (JSON.parse(body.toString()) as { stream?: boolean }).stream === true;

const json = (response: ServerResponse, value: unknown): unknown =>
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));

/** Events are cut where it hurts: in the middle of a character. */
async function events(response: ServerResponse, list: readonly { event?: string; data: unknown }[]): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const text = list.map(({ event, data }) => {
    const payload = typeof data === "string" ? data : JSON.stringify(data);
    return `${event === undefined ? "" : `event: ${event}\n`}data: ${payload}\n\n`;
  });
  const whole = Buffer.from(text.join(""));
  for (let at = 0; at < whole.length; at += 97) {
    response.write(whole.subarray(at, at + 97));
    await sleep(2);
  }
  response.end();
}

function chatAnswer(response: ServerResponse, body: Buffer): unknown {
  const base = { id: "chatcmpl-1", created: 1_760_000_000, model: "m-1" };
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
  if (!isStreamed(body)) {
    const message = { role: "assistant", content: WORDS.join(""), refusal: null };
    return json(response, {
      ...base,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "stop", logprobs: null }],
      usage,
    });
  }
  const chunk = (delta: object, finish: string | null) => ({
    data: {
      ...base,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
    },
  });
  return events(response, [
    chunk({ role: "assistant", content: "" }, null),
    ...WORDS.map((content) => chunk({ content }, null)),
    chunk({}, "stop"),
    { data: "[DONE]" },
  ]);
}

function responsesAnswer(response: ServerResponse, body: Buffer): unknown {
  const usage = {
    input_tokens: 3,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 4,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 7,
  };
  const base = {
    id: "resp_1",
    object: "response",
    created_at: 1_760_000_000,
    model: "m-1",
    status: "completed",
    error: null,
    incomplete_details: null,
  };
  const item = {
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: WORDS.join(""), annotations: [] }],
  };
  if (!isStreamed(body)) return json(response, { ...base, output: [item], usage });
  return events(response, [
    { event: "response.created", data: { type: "response.created", response: { ...base, output: [] } } },
    {
      event: "response.output_item.added",
      data: { type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
    },
    ...WORDS.map((delta) => ({
      event: "response.output_text.delta",
      data: { type: "response.output_text.delta", item_id: "msg_1", output_index: 0, content_index: 0, delta },
    })),
    { event: "response.output_item.done", data: { type: "response.output_item.done", output_index: 0, item } },
    { event: "response.completed", data: { type: "response.completed", response: { ...base, output: [item], usage } } },
  ]);
}

function messagesAnswer(response: ServerResponse, body: Buffer): unknown {
  const base = { id: "msg_1", type: "message", role: "assistant", model: "m-1", stop_sequence: null };
  const usage = { input_tokens: 3, output_tokens: 4 };
  if (!isStreamed(body)) {
    return json(response, {
      ...base,
      content: [{ type: "text", text: WORDS.join("") }],
      stop_reason: "end_turn",
      usage,
    });
  }
  const event = (data: { type: string }) => ({ event: data.type, data });
  const start = { type: "message_start", message: { ...base, content: [], stop_reason: null, usage } };
  const block = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
  const deltas = WORDS.map((text) =>
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } } as never),
  );
  const stop = {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 4 },
  };
  return events(response, [
    event(start),
    event(block),
    ...deltas,
    event({ type: "content_block_stop", index: 0 } as never),
    event(stop),
    event({ type: "message_stop" }),
  ]);
}
