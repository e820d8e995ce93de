import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { wrapTool } from "../../../instrumentation/index.ts";
import { patchMcpClient } from "../../../instrumentation/auto/mcp/index.ts";
import type { RecordedCall } from "../../../processor/evidence/recorded-call.ts";
import { recordWork, replayWork } from "../http/testing/record-and-replay.ts";

const [clientModule, stdioModule] = await Promise.all<unknown>([
  import("@modelcontextprotocol/sdk/client/index.js"),
  import("@modelcontextprotocol/sdk/client/stdio.js"),
]);

interface Client {
  connect(transport: unknown): Promise<void>;
  close(): Promise<void>;
  getInstructions(): string | undefined;
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: object): Promise<{ content: unknown; isError?: boolean }>;
  readResource(params: object): Promise<{ contents: unknown }>;
}
type Constructor<Instance> = new (...args: unknown[]) => Instance;

const serverFile = fileURLToPath(new URL("testing/stdio-server.mjs", import.meta.url));
let folder: string;
let undo: () => void;
beforeAll(() => (undo = patchMcpClient(clientModule)));
afterAll(() => undo());
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "runproof-mcp-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const serverLog = (): string[] => readFileSync(join(folder, "log"), "utf8").trim().split("\n");

async function connected(): Promise<Client> {
  const Client = (clientModule as never)["Client"] as Constructor<Client>;
  const Transport = (stdioModule as never)["StdioClientTransport"] as Constructor<object>;
  const client = new Client({ name: "agent", version: "1" });
  const args = [serverFile, join(folder, "log")];
  await client.connect(new Transport({ command: process.execPath, args, stderr: "inherit" }));
  return client;
}

async function useServer(client: Client) {
  const { tools } = await client.listTools();
  const counted = await client.callTool({ name: "count", arguments: { of: "otters" } });
  const none = await client.callTool({ name: "count", arguments: { of: "unicorns" } });
  const released = await client.callTool({ name: "release", arguments: { of: "otters" } });
  const read = await client.readResource({ uri: "otters://list" });
  const wrong = await client.readResource({ uri: "otters://nowhere" }).catch((error: Error & { code: number }) => ({
    name: error.name,
    code: error.code,
    message: error.message,
  }));
  return { names: tools.map(({ name }) => name), counted, none, released, read, wrong, says: client.getInstructions() };
}

const told = (calls: readonly RecordedCall[]) =>
  calls
    .toSorted((a, b) => Number(BigInt(a.startUnixNano) - BigInt(b.startUnixNano)))
    .map(({ kind, name, sideEffect, errorClass }) => [kind, name, sideEffect, errorClass]);

describe("an MCP server that is a child process", () => {
  test("is asked by calls of the run, and no process is needed to replay them", async () => {
    const work = async () => {
      const client = await connected();
      const result = await useServer(client);
      await client.close();
      return result;
    };
    const recorded = await recordWork(work, { capture: "full" });
    expect(told(recorded.calls)).toEqual([
      ["probe", "mcp connect", "read", null],
      ["probe", "mcp tools/list", "read", null],
      ["tool", "count", "read", null],
      ["tool", "count", "read", "tool_error"],
      ["tool", "release", "write", null],
      ["tool", "resources/read", "read", null],
      ["tool", "resources/read", "read", "-32602"],
    ]);
    const count = recorded.calls.find((call) => JSON.stringify(call.result)?.includes("3 otters"));
    expect(serverLog()[1]).toMatch(/^count 00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(serverLog()[1]).toContain(count?.spanId);
    const before = serverLog();

    const replayed = await replayWork(work, recorded.calls);
    expect(replayed.result).toEqual(recorded.result);
    expect(serverLog()).toEqual(before);
    expect(replayed.report).toMatchObject({ misses: [], unused: [], moved: [] });
    expect(told(replayed.calls)).toEqual(told(recorded.calls));
  });

  test("that was connected before the run began is recorded with the run, and not needed to replay it", async () => {
    const client = await connected();
    await client.listTools();
    const recorded = await recordWork(() => client.callTool({ name: "count", arguments: { of: "otters" } }));
    await client.close();
    expect(told(recorded.calls).map(([, name]) => name)).toEqual(["mcp connect", "mcp tools/list", "count"]);
    const before = serverLog();
    // What a replayed process does before its run belongs to the same cassette.
    const replayed = await replayWork(async () => {
      const again = await connected();
      const { tools } = await again.listTools();
      return { tools: tools.length, counted: await again.callTool({ name: "count", arguments: { of: "otters" } }) };
    }, recorded.calls);
    expect(replayed.result).toEqual({ tools: 2, counted: recorded.result });
    expect(serverLog()).toEqual(before);
  });

  test("is not called twice where a stack has recorded its tool as its own", async () => {
    const { calls } = await recordWork(async () => {
      const client = await connected();
      const args = { of: "otters" };
      await wrapTool({ name: "counter__count" }, () => client.callTool({ name: "count", arguments: args }))(args);
      await client.close();
    });
    expect(told(calls).filter(([kind]) => kind === "tool")).toEqual([["tool", "counter__count", "write", null]]);
  });

  test("that cannot be started fails in a replay as it did", async () => {
    const Transport = (stdioModule as never)["StdioClientTransport"] as Constructor<object>;
    const work = async () => {
      const client = new ((clientModule as never)["Client"] as Constructor<Client>)({ name: "agent", version: "1" });
      return await client
        .connect(new Transport({ command: join(folder, "nowhere") }))
        .then(() => "connected")
        .catch((error: Error) => error.message);
    };
    const recorded = await recordWork(work, { capture: "full" });
    expect(recorded.result).toContain("ENOENT");
    expect((await replayWork(work, recorded.calls)).result).toBe(recorded.result);
  });
});
