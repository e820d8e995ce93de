import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { chatEvents, chatJson } from "./chat-completions.ts";
import { responsesEvents, responsesJson } from "./responses.ts";

/** What the model is asked, whichever API asked it. */
export interface Question {
  /** Texts of the user, in order. */
  readonly user: readonly string[];
  /** What tools gave back so far, by call id. */
  readonly toolResults: ReadonlyMap<string, string>;
  readonly tools: readonly string[];
  readonly instructions: string;
  /** 1 for the first request that this server got. */
  readonly count: number;
}

/** What the model answers. */
export type Reply =
  | { readonly text: string; readonly thenHang?: boolean }
  | { readonly calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[] }
  | { readonly status: number };

export interface ProviderServer {
  /** `http://127.0.0.1:…/v1`. */
  readonly baseUrl: string;
  /** How many requests came. */
  asked(): number;
  close(): Promise<void>;
}

/** A model provider on loopback that speaks OpenAI's chat completions and responses, streamed or whole. */
export async function startProvider(think: (question: Question) => Reply): Promise<ProviderServer> {
  let count = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => answer(response, body, (question) => think({ ...question, count: ++count })));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: () => count,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Item {
  readonly type?: string;
  readonly role?: string;
  readonly content?: unknown;
  readonly tool_call_id?: string;
  readonly call_id?: string;
  readonly output?: unknown;
}

interface Body {
  readonly stream?: boolean;
  readonly instructions?: string;
  readonly messages?: readonly Item[];
  readonly input?: string | readonly Item[];
  readonly tools?: readonly { readonly name?: string; readonly function?: { readonly name: string } }[];
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as Body;
}

async function answer(
  response: ServerResponse,
  body: Body,
  think: (question: Omit<Question, "count">) => Reply,
): Promise<void> {
  const reply = think(questionOf(body));
  const isChat = body.messages !== undefined;
  if ("status" in reply) {
    response.writeHead(reply.status, { "content-type": "application/json", "retry-after-ms": "5" });
    response.end(JSON.stringify({ error: { message: "no", type: "server_error", code: null, param: null } }));
  } else if (body.stream !== true) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(isChat ? chatJson(reply) : responsesJson(reply)));
  } else {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of isChat ? chatEvents(reply) : responsesEvents(reply)) {
      if (event === "hang") return;
      response.write(event);
      await sleep(2);
    }
    response.end();
  }
}

function questionOf(body: Body): Omit<Question, "count"> {
  const items =
    body.messages ?? (typeof body.input === "string" ? [{ role: "user", content: body.input }] : (body.input ?? []));
  const text = (content: unknown): string => (typeof content === "string" ? content : JSON.stringify(content));
  const results = items.flatMap((item): [string, string][] => {
    if (item.role === "tool") return [[item.tool_call_id ?? "", text(item.content)]];
    return item.type === "function_call_output" ? [[item.call_id ?? "", text(item.output)]] : [];
  });
  const system = items.filter(({ role }) => role === "system" || role === "developer");
  return {
    user: items.filter(({ role }) => role === "user").map(({ content }) => text(content)),
    toolResults: new Map(results),
    tools: (body.tools ?? []).map((tool) => tool.name ?? tool.function?.name ?? ""),
    instructions: [body.instructions ?? "", ...system.map(({ content }) => text(content))].join("\n"),
  };
}
