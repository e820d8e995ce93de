/**
 * A model provider on this machine: OpenAI's chat completions, whole and streamed, with tool calls, answered by scripts.
 * It needs no key and gives the same answer to the same conversation.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { chatCompletion, chatEvents } from "./chat-answer.ts";
import { chatRequest, type Script, turnFrom } from "./script.ts";

export interface LocalModel {
  /** Base URL as the `openai` package takes it. */
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** `scripts` by the name of the model. */
export async function startLocalModel(scripts: Readonly<Record<string, Script>>): Promise<LocalModel> {
  const server = createServer((request, response) => void answer(request, response, scripts));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  scripts: Readonly<Record<string, Script>>,
): Promise<void> {
  if (request.method !== "POST" || request.url !== "/v1/chat/completions") return refuse(response, 404, "no such path");
  const body = await bodyOf(request).catch(() => undefined);
  if (body === undefined) return refuse(response, 413, "the request is too large");
  const parsed = chatRequest.safeParse(body);
  if (!parsed.success) return refuse(response, 400, "the request is no chat completion");
  const { model, messages, stream } = parsed.data;
  const script = Object.hasOwn(scripts, model) ? scripts[model] : undefined;
  if (script === undefined) return refuse(response, 404, `the model "${model}" does not exist`);
  // Ids as a provider gives them: others in every conversation. And the same when the same conversation comes again.
  const idPrefix = `call_${createHash("sha256").update(JSON.stringify(messages)).digest("hex").slice(0, 16)}`;
  const answered = { model, reply: script(turnFrom(parsed.data)), idPrefix };
  if (!stream) return send(response, 200, chatCompletion(answered));
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of chatEvents(answered)) response.write(event);
  response.end();
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error("too large");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return null;
  }
}

const send = (response: ServerResponse, status: number, value: unknown): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

const refuse = (response: ServerResponse, status: number, text: string): void =>
  send(response, status, { error: { message: text, type: "invalid_request_error", param: null, code: null } });
