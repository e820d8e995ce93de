import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { defineContract } from "../../contract/contract.ts";
import { startRecorder, type Recorder, type SeenSpan } from "../../run/testing/recorder.ts";
import { withRun } from "../../run/with-run.ts";
import * as semconv from "../../semconv.ts";
import { patchMcpClient, patchMcpServer, type McpServerOptions } from "./index.ts";

const [clientModule, memoryModule, serverModule, mcpServerModule] = await Promise.all<unknown>([
  import("@modelcontextprotocol/sdk/client/index.js"),
  import("@modelcontextprotocol/sdk/inMemory.js"),
  import("@modelcontextprotocol/sdk/server/index.js"),
  import("@modelcontextprotocol/sdk/server/mcp.js"),
]);

type Constructor<Instance> = new (...args: unknown[]) => Instance;
interface Client {
  connect(transport: unknown): Promise<void>;
  callTool(call: object): Promise<unknown>;
  close(): Promise<void>;
}
interface Server {
  tool(name: string, shape: object, run: (args: { of: string }) => unknown): void;
  connect(transport: unknown): Promise<void>;
}

let seen: Recorder;
let undo: (() => void)[];

async function begin(options: McpServerOptions = {}): Promise<void> {
  seen = await startRecorder({ sdk: true });
  undo = [patchMcpClient(clientModule), patchMcpServer(serverModule, options)];
}
beforeEach(() => (undo = []));
afterEach(async () => {
  for (const one of undo) one();
  await seen.close();
});

async function connected(): Promise<Client> {
  const McpServer = (mcpServerModule as never)["McpServer"] as Constructor<Server>;
  const server = new McpServer({ name: "counter", version: "1" });
  server.tool("count", { of: z.string() }, ({ of }) => {
    if (of === "bugs") throw new Error("too many");
    return { content: [{ type: "text", text: `3 ${of}` }] };
  });
  const Client = (clientModule as never)["Client"] as Constructor<Client>;
  const client = new Client({ name: "agent", version: "1" });
  const pair = (memoryModule as never)["InMemoryTransport"] as { createLinkedPair(): [unknown, unknown] };
  const [near, far] = pair.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  return client;
}

const agent = defineContract({ agent: "asker" });
const served = (): SeenSpan[] => seen.exported().filter((span) => span.name.startsWith("tools/call"));

describe("a request that an MCP server handles", () => {
  it("is a span in the trace of whoever asked", async () => {
    await begin();
    await withRun(agent, async () => {
      const client = await connected();
      await client.callTool({ name: "count", arguments: { of: "otters" } });
      await client.callTool({ name: "count", arguments: { of: "bugs" } });
      await client.close();
    });
    const asked = seen.exported().filter((span) => span.attributes[semconv.ATTR_CALL_KIND] === "tool");
    expect(served().map(({ traceId, parentSpanId }) => ({ traceId, parentSpanId }))).toEqual(
      asked.map(({ traceId, spanId }) => ({ traceId, parentSpanId: spanId })),
    );
    expect(served().map(({ name, attributes }) => [name, attributes[semconv.ATTR_ERROR_TYPE]])).toEqual([
      ["tools/call count", undefined],
      ["tools/call count", "tool_error"],
    ]);
    expect(served()[0]?.attributes).toMatchObject({
      [semconv.ATTR_MCP_METHOD_NAME]: "tools/call",
      [semconv.ATTR_TOOL_NAME]: "count",
    });
    expect(asked[0]?.attributes).toMatchObject({ [semconv.ATTR_MCP_METHOD_NAME]: "tools/call" });
  });

  it("is a run of its own where that is wanted", async () => {
    await begin({ opensRuns: true });
    const client = await connected();
    await client.callTool({ name: "count", arguments: { of: "otters" } });
    await client.close();
    const roots = seen.exported().filter((span) => span.attributes[semconv.ATTR_RUN_EVENT] === semconv.RUN_EVENT_ROOT);
    expect(roots).toMatchObject([{ attributes: { [semconv.ATTR_AGENT_NAME]: "count" } }]);
    expect(roots[0]?.parentSpanId).toBe(served()[0]?.spanId);
  });

  it("is as ever once the patch is undone", async () => {
    await begin();
    for (const one of undo) one();
    await withRun(agent, async () => {
      const client = await connected();
      await client.callTool({ name: "count", arguments: { of: "otters" } });
    });
    expect(seen.exported().map(({ name }) => name)).toEqual(["invoke_agent asker"]);
  });
});
