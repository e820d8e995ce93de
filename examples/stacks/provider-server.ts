import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** Speaks as OpenAI's chat completions and responses and as Anthropic's messages. */
export interface ProviderServer {
  readonly url: string;
  /** Requests that came in since the last `reset()`. */
  requests(): number;
  /** The next request is answered with 429, as the first of every agent is. */
  reset(): void;
  close(): Promise<void>;
}

interface Asked {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly { readonly role: string; readonly content?: unknown }[];
  readonly input?: unknown;
}

type Api = "chat" | "responses" | "messages";

/** What the model says: calls of tools, or words. */
interface Turn {
  readonly ids: readonly string[];
  readonly words: readonly string[];
}

const CITIES = ["Bern", "Rome"];
const WORDS = ["Sunny ", "in ", "both."];
const TOOL = "weather";

export async function startProviderServer(): Promise<ProviderServer> {
  let requests = 0;
  let callIds = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = (await json(request)) as Asked;
    requests++;
    const api = apiOf(request.url ?? "");
    if (requests === 1) return refuse(response, { status: 429, type: "rate_limit_error" });
    if (asked.model === "broken") return refuse(response, { status: 400, type: "invalid_request_error" });
    if (asked.model === "slow") return await speakForEver(response, api);
    const turn = isToolDone(asked)
      ? { ids: [], words: WORDS }
      : { ids: CITIES.map(() => `call_${++callIds}`), words: [] };
    if (asked.stream !== true) return void response.writeHead(200, JSON_TYPE).end(JSON.stringify(WHOLE[api](turn)));
    response.writeHead(200, STREAM_TYPE);
    for (const event of EVENTS[api](turn)) {
      response.write(event);
      await sleep(1);
    }
    response.end();
  };

  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    reset: () => (requests = 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const JSON_TYPE = { "content-type": "application/json" };
const STREAM_TYPE = { "content-type": "text/event-stream" };

const apiOf = (path: string): Api =>
  path.includes("/chat/") ? "chat" : path.includes("/responses") ? "responses" : "messages";

/** Whether the results of the tools are in. */
function isToolDone({ messages = [], input }: Asked): boolean {
  if (Array.isArray(input)) return JSON.stringify(input).includes("function_call_output");
  const last = messages.at(-1);
  return last?.role === "tool" || JSON.stringify(last?.content ?? "").includes("tool_result");
}

function refuse(response: ServerResponse, { status, type }: { readonly status: number; readonly type: string }): void {
  const headers = { ...JSON_TYPE, "retry-after-ms": "5", "retry-after": "0" };
  response.writeHead(status, headers).end(JSON.stringify({ type: "error", error: { type, message: type } }));
}

/** A word every now and then, for whoever stops listening. */
async function speakForEver(response: ServerResponse, api: Api): Promise<void> {
  response.writeHead(200, STREAM_TYPE);
  const [first = "", ...rest] = EVENTS[api]({ ids: [], words: Array.from({ length: 200 }, () => "and ") });
  response.write(first);
  for (const event of rest) {
    if (response.destroyed) return;
    response.write(event);
    await sleep(20);
  }
  response.end();
}

const event = (data: object, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

const argumentsOf = (index: number): string => JSON.stringify({ city: CITIES[index] });

const chatBase = { id: "chatcmpl-1", created: 1_760_000_000, model: "m-1" };
const chatUsage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

function chatAnswer({ ids, words }: Turn): object {
  const tool_calls = ids.map((id, index) => ({
    id,
    type: "function",
    function: { name: TOOL, arguments: argumentsOf(index) },
  }));
  const said = ids.length > 0 ? { content: null, tool_calls } : { content: words.join("") };
  const message = { role: "assistant", refusal: null, ...said };
  const finish_reason = ids.length > 0 ? "tool_calls" : "stop";
  const choices = [{ index: 0, message, finish_reason, logprobs: null }];
  return { ...chatBase, object: "chat.completion", choices, usage: chatUsage };
}

function chatEvents({ ids, words }: Turn): string[] {
  const chunk = (delta: object, finish_reason: string | null = null): string =>
    event({
      ...chatBase,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason, logprobs: null }],
    });
  const calls = ids.flatMap((id, index) => [
    chunk({ tool_calls: [{ index, id, type: "function", function: { name: TOOL, arguments: "" } }] }),
    ...halves(argumentsOf(index)).map((half) => chunk({ tool_calls: [{ index, function: { arguments: half } }] })),
  ]);
  const last = chunk({}, ids.length > 0 ? "tool_calls" : "stop");
  return [
    chunk({ role: "assistant", content: null }),
    ...calls,
    ...words.map((content) => chunk({ content })),
    last,
    "data: [DONE]\n\n",
  ];
}

const halves = (text: string): string[] => [text.slice(0, 6), text.slice(6)];

const messageBase = { id: "msg_1", type: "message", role: "assistant", model: "m-1", stop_sequence: null };
const messageUsage = { input_tokens: 3, output_tokens: 4 };

const messagesAnswer = ({ ids, words }: Turn): object => ({
  ...messageBase,
  content:
    ids.length > 0
      ? ids.map((id, index) => ({ type: "tool_use", id, name: TOOL, input: { city: CITIES[index] } }))
      : [{ type: "text", text: words.join("") }],
  stop_reason: ids.length > 0 ? "tool_use" : "end_turn",
  usage: messageUsage,
});

function messagesEvents({ ids, words }: Turn): string[] {
  const typed = (type: string, data: object): string => event({ type, ...data }, type);
  const block = (index: number, content_block: object, deltas: readonly object[]): string[] => [
    typed("content_block_start", { index, content_block }),
    ...deltas.map((delta) => typed("content_block_delta", { index, delta })),
    typed("content_block_stop", { index }),
  ];
  const blocks =
    ids.length > 0
      ? ids.flatMap((id, index) => {
          const deltas = halves(argumentsOf(index)).map((half) => ({ type: "input_json_delta", partial_json: half }));
          return block(index, { type: "tool_use", id, name: TOOL, input: {} }, deltas);
        })
      : block(
          0,
          { type: "text", text: "" },
          words.map((text) => ({ type: "text_delta", text })),
        );
  const delta = { stop_reason: ids.length > 0 ? "tool_use" : "end_turn", stop_sequence: null };
  return [
    typed("message_start", { message: { ...messageBase, content: [], stop_reason: null, usage: messageUsage } }),
    ...blocks,
    typed("message_delta", { delta, usage: { output_tokens: 4 } }),
    typed("message_stop", {}),
  ];
}

const responseBase = {
  id: "resp_1",
  object: "response",
  created_at: 1_760_000_000,
  model: "m-1",
  error: null,
  incomplete_details: null,
  parallel_tool_calls: true,
  tools: [],
};
const responseUsage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 4,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 7,
};

const textItem = (text: string): object => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
});

const responseItems = ({ ids, words }: Turn): object[] =>
  ids.length > 0
    ? ids.map((call_id, index) => ({
        type: "function_call",
        id: `fc_${call_id}`,
        call_id,
        name: TOOL,
        arguments: argumentsOf(index),
        status: "completed",
      }))
    : [textItem(words.join(""))];

const responsesAnswer = (turn: Turn): object => ({
  ...responseBase,
  status: "completed",
  output: responseItems(turn),
  usage: responseUsage,
});

function responsesEvents(turn: Turn): string[] {
  let sequence_number = 0;
  const typed = (type: string, data: object): string =>
    event({ type, sequence_number: sequence_number++, ...data }, type);
  const items = responseItems(turn).flatMap((item, output_index) => [
    typed("response.output_item.added", { output_index, item }),
    ...turn.words.map((delta) =>
      typed("response.output_text.delta", { item_id: "msg_1", output_index, content_index: 0, delta, logprobs: [] }),
    ),
    typed("response.output_item.done", { output_index, item }),
  ]);
  const started = { ...responseBase, status: "in_progress", output: [] };
  return [
    typed("response.created", { response: started }),
    ...items,
    typed("response.completed", { response: responsesAnswer(turn) }),
  ];
}

const WHOLE: Readonly<Record<Api, (turn: Turn) => object>> = {
  chat: chatAnswer,
  responses: responsesAnswer,
  messages: messagesAnswer,
};
const EVENTS: Readonly<Record<Api, (turn: Turn) => string[]>> = {
  chat: chatEvents,
  responses: responsesEvents,
  messages: messagesEvents,
};
