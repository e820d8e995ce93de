import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { sameTwice } from "./testing/same-twice.ts";

const [clientModule, transportModule, serverModule, serverTransportModule] = await Promise.all<unknown>([
  import("@modelcontextprotocol/sdk/client/index.js"),
  import("@modelcontextprotocol/sdk/client/streamableHttp.js"),
  import("@modelcontextprotocol/sdk/server/mcp.js"),
  import("@modelcontextprotocol/sdk/server/streamableHttp.js"),
]);

type Constructor<Instance> = new (...args: unknown[]) => Instance;
interface Connecting {
  connect(transport: unknown): Promise<void>;
  close(): Promise<void>;
}
interface Client extends Connecting {
  listTools(): Promise<unknown>;
  callTool(call: object): Promise<{ content: unknown }>;
}
interface Handler {
  handleRequest(request: unknown, response: unknown): Promise<void>;
}

describe("@modelcontextprotocol/sdk", () => {
  const requests: string[] = [];
  let server: Server;
  let url: URL;

  beforeAll(async () => {
    const sessions = new Map<string, Handler>();
    server = createServer((request, response) => {
      requests.push(request.method ?? "");
      void handlerOf(sessions, request.headers["mcp-session-id"]).then((handler) =>
        handler.handleRequest(request, response),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("lists and calls tools of a server over streamable HTTP", async () => {
    const result = await sameTwice({ requests }, async () => {
      const Client = (clientModule as never)["Client"] as Constructor<Client>;
      const Transport = (transportModule as never)["StreamableHTTPClientTransport"] as Constructor<object>;
      const client = new Client({ name: "agent", version: "1" });
      await client.connect(new Transport(url));
      const tools = await client.listTools();
      const { content } = await client.callTool({ name: "count", arguments: { of: "otters" } });
      await client.close();
      return { tools, content };
    });
    expect(JSON.stringify(result)).toContain("3 otters");
  });
});

async function handlerOf(sessions: Map<string, Handler>, id: unknown): Promise<Handler> {
  const known = typeof id === "string" ? sessions.get(id) : undefined;
  if (known !== undefined) return known;
  const Transport = (serverTransportModule as never)["StreamableHTTPServerTransport"] as Constructor<Handler>;
  const McpServer = (serverModule as never)["McpServer"] as Constructor<
    Connecting & { tool(name: string, shape: object, run: (args: { of: string }) => Promise<unknown>): void }
  >;
  const transport: Handler = new Transport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (session: string) => void sessions.set(session, transport),
  });
  const server = new McpServer({ name: "counter", version: "1" });
  server.tool("count", { of: z.string() }, ({ of }) =>
    Promise.resolve({ content: [{ type: "text", text: `3 ${of}` }] }),
  );
  await server.connect(transport);
  return transport;
}
