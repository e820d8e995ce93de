import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** Models of OpenAI's and Anthropic's form that first ask for the weather of two cities and then say they are done. */
export interface ToolModel {
  readonly url: string;
  readonly requests: readonly string[];
  close(): Promise<void>;
}

interface Asked {
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content?: unknown }[];
}

const CITIES = ["Bern", "Rome"];

export async function startToolModel(): Promise<ToolModel> {
  const requests: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(request.url ?? "");
    const body = (await json(request)) as Asked;
    const last = body.messages.at(-1);
    const isDone = last?.role === "tool" || JSON.stringify(last?.content).includes("tool_result");
    const isChat = request.url?.includes("chat") === true;
    const whole = isChat ? chatAnswer(isDone) : messagesAnswer(isDone);
    if (body.stream !== true) {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(whole));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of isChat ? chatEvents(isDone) : messagesEvents(isDone)) response.write(event);
    response.end();
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const chatBase = { id: "chatcmpl-1", created: 1_760_000_000, model: "m" };

function chatAnswer(isDone: boolean): object {
  const tool_calls = CITIES.map((city, index) => ({
    id: `call_${index + 1}`,
    type: "function",
    function: { name: "weather", arguments: JSON.stringify({ city }) },
  }));
  const message = isDone ? { content: "All done." } : { content: null, tool_calls };
  const finish_reason = isDone ? "stop" : "tool_calls";
  return {
    ...chatBase,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
  };
}

function chatEvents(isDone: boolean): string[] {
  const chunk = (delta: object, finish_reason: string | null = null): string =>
    `data: ${JSON.stringify({ ...chatBase, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const calls = CITIES.flatMap((city, index) => [
    chunk({
      tool_calls: [{ index, id: `call_${index + 1}`, type: "function", function: { name: "weather", arguments: "" } }],
    }),
    chunk({ tool_calls: [{ index, function: { arguments: '{"city":' } }] }),
    chunk({ tool_calls: [{ index, function: { arguments: `"${city}"}` } }] }),
  ]);
  const deltas = isDone ? [chunk({ content: "All " }), chunk({ content: "done." })] : calls;
  return [chunk({ role: "assistant" }), ...deltas, chunk({}, isDone ? "stop" : "tool_calls"), "data: [DONE]\n\n"];
}

const messageBase = { id: "msg_1", type: "message", role: "assistant", model: "m", stop_sequence: null };
const usage = { input_tokens: 3, output_tokens: 4 };

const blocksOf = (isDone: boolean): readonly { readonly type: string; readonly input?: object }[] =>
  isDone
    ? [{ type: "text", text: "All done." } as { type: string }]
    : CITIES.map((city, index) => ({ type: "tool_use", id: `call_${index + 1}`, name: "weather", input: { city } }));

const messagesAnswer = (isDone: boolean): object => ({
  ...messageBase,
  content: blocksOf(isDone),
  stop_reason: isDone ? "end_turn" : "tool_use",
  usage,
});

function messagesEvents(isDone: boolean): string[] {
  const event = (type: string, data: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const blocks = blocksOf(isDone).flatMap((block, index) => {
    const { input } = block;
    const start = input === undefined ? { type: "text", text: "" } : { ...block, input: {} };
    const delta =
      input === undefined
        ? { type: "text_delta", text: "All done." }
        : { type: "input_json_delta", partial_json: JSON.stringify(input) };
    return [
      event("content_block_start", { index, content_block: start }),
      event("content_block_delta", { index, delta }),
      event("content_block_stop", { index }),
    ];
  });
  return [
    event("message_start", { message: { ...messageBase, content: [], stop_reason: null, usage } }),
    ...blocks,
    event("message_delta", { delta: { stop_reason: isDone ? "end_turn" : "tool_use" }, usage: { output_tokens: 4 } }),
    event("message_stop", {}),
  ];
}
