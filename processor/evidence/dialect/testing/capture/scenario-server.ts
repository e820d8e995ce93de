import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { chatBody, messagesBody, type ModelBody } from "./scenario-answers.ts";

/** An OTLP/JSON request as a producer sent it. */
export interface SentBody {
  readonly path: string;
  readonly body: unknown;
}

/** Models of two providers, and a collector, on loopback. */
export interface ScenarioServer {
  readonly url: string;
  readonly sent: readonly SentBody[];
  close(): Promise<void>;
}

export async function startScenarioServer(): Promise<ScenarioServer> {
  const sent: SentBody[] = [];
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const asked = { wasToolUsed: wasToolUsed(body), isStreamed: body.stream === true };
    const wantsUsage = body.stream_options?.include_usage === true;
    if (path.endsWith("/chat/completions")) return give(response, chatBody({ ...asked, wantsUsage }));
    if (path.endsWith("/messages")) return give(response, messagesBody(asked.wasToolUsed, asked.isStreamed));
    sent.push({ path, body });
    give(response, { json: {} });
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Asked {
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly messages?: readonly { readonly role: string; readonly content?: unknown }[];
}

/** The last message holds results of tools, in the form of either provider. */
function wasToolUsed({ messages = [] }: Asked): boolean {
  const last = messages.at(-1);
  if (last?.role === "tool") return true;
  const { content } = last ?? {};
  return Array.isArray(content) && content.some((block: { type?: unknown }) => block.type === "tool_result");
}

function give(response: ServerResponse, body: ModelBody): void {
  if ("json" in body) {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body.json));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of body.events) response.write(event);
  response.end();
}
