import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fixedScope } from "../own-scope.ts";
import { loadMcpSdk } from "../sdk.ts";
import { createToolRunner } from "../tool-runner.ts";
import { createHttpAccess } from "./http-access.ts";
import { type HttpServer, type HttpServerOptions, startHttpServer } from "./http-server.ts";
import { MAX_BODY_BYTES } from "./read-body.ts";

const TOKEN = "a-token-of-this-test";
let folder: string;
let server: HttpServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-mcp-http-"));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const sdk = await loadMcpSdk();
  if ("message" in sdk) throw new Error(sdk.message);
  // Port 9 answers nobody: there is no store.
  const env = { PATH: process.env["PATH"], RUNPROOF_CLICKHOUSE_URL: "http://127.0.0.1:9" };
  const context = { env, cwd: folder, signal: new AbortController().signal };
  server = await startHttpServer(sdk, {
    host: "127.0.0.1",
    port: 0,
    runner: createToolRunner({ context, scopeOf: async () => fixedScope(undefined) }),
    writes: true,
    log: () => {},
    access: createHttpAccess({}),
    envOf: () => ({}),
    ...options,
  });
  return server;
}

async function connect({ url }: HttpServer, token?: string): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }) as Transport);
  return client;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A request as nobody's client would make it. */
async function post(at: HttpServer, body: string, headers: Record<string, string> = {}, method = "POST") {
  const request = httpRequest(at.url, {
    method,
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) } satisfies Answer;
}

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
});
const LIST = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list", params: {} });

describe("the server over streamable HTTP", () => {
  test("serves the official client; each session is its own", async () => {
    const at = await start({ access: createHttpAccess({ token: TOKEN }) });
    const [one, two] = [await connect(at, TOKEN), await connect(at, TOKEN)];
    expect((await one.listTools()).tools.map(({ name }) => name)).toContain("create_fixture");
    await one.close();
    const listed = await two.callTool({ name: "list_fixtures", arguments: {} });
    expect(listed).toMatchObject({ isError: false, structuredContent: { untrusted_data: { total: 0 } } });
    await two.close();
  });

  test("tells that the store does not answer, and nothing that looks like good news", async () => {
    const client = await connect(await start());
    const { isError, structuredContent } = await client.callTool({ name: "list_failed_runs", arguments: {} });
    expect(isError).toBe(true);
    const { outcome, advice, untrusted_data } = structuredContent as Record<string, unknown>;
    expect(outcome).toBe("environment");
    expect(JSON.stringify(advice)).toContain("runproof serve");
    expect(Object.keys(untrusted_data as object)).toEqual(["problems"]);
    await client.close();
  });

  test("does not answer a page that rebinds its name, or one from elsewhere", async () => {
    const at = await start();
    const rebound = await post(at, INITIALIZE, { host: "evil.example:80" });
    expect(rebound).toMatchObject({ status: 403, text: expect.stringContaining("unknown Host") });
    const elsewhere = await post(at, INITIALIZE, { origin: "http://evil.example" });
    expect(elsewhere).toMatchObject({ status: 403, text: expect.stringContaining("unknown Origin") });
    const preflight = await post(at, "", { origin: "http://evil.example" }, "OPTIONS");
    expect(preflight.status).toBe(403);
    expect(preflight.headers).not.toHaveProperty("access-control-allow-origin");
    const { host } = new URL(at.url);
    expect((await post(at, INITIALIZE, { origin: `http://${host}` })).status).toBe(200);
  });

  test("asks for its token in every request, also within a session", async () => {
    const at = await start({ access: createHttpAccess({ token: TOKEN }) });
    const none = await post(at, INITIALIZE);
    expect(none).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
    await expect(connect(at)).rejects.toThrow(/bearer token is needed/);
    await expect(connect(at, "another-token-0123")).rejects.toThrow(/bearer token is needed/);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const opened = await post(at, INITIALIZE, headers);
    const session = { "mcp-session-id": String(opened.headers["mcp-session-id"]) };
    expect((await post(at, LIST, session)).status).toBe(401);
    expect((await post(at, LIST, { ...session, ...headers })).status).toBe(200);
  });

  test("registers write tools only for those who may write", async () => {
    const access: HttpServerOptions["access"] = {
      open: false,
      of: (authorization) => ({ ok: true, grant: { writes: false, holder: String(authorization) } }),
    };
    const at = await start({ access });
    const reader = await connect(at, "reads-0123456789");
    const names = (await reader.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("list_failed_runs");
    expect(names).not.toContain("create_fixture");
    const called = await reader.callTool({ name: "create_fixture", arguments: { run_id: "x" } });
    expect(called.isError).toBe(true);
    await reader.close();
    // A session belongs to whoever opened it.
    const opened = await post(at, INITIALIZE, { authorization: "one" });
    const session = { "mcp-session-id": String(opened.headers["mcp-session-id"]) };
    expect((await post(at, LIST, { ...session, authorization: "two" })).status).toBe(404);
  });

  test("opens no more sessions than it may, and one more when one is ended", async () => {
    const at = await start({ limits: { maxSessions: 2, idleMillis: 60_000 } });
    const opened = [await post(at, INITIALIZE), await post(at, INITIALIZE)];
    expect(opened.map(({ status }) => status)).toEqual([200, 200]);
    const refused = await post(at, INITIALIZE);
    expect(refused).toMatchObject({ status: 503, headers: { "retry-after": "60" } });
    const session = { "mcp-session-id": String(opened[0]?.headers["mcp-session-id"]) };
    expect((await post(at, "", session, "DELETE")).status).toBe(200);
    expect((await post(at, LIST, session)).status).toBe(404);
    expect((await post(at, INITIALIZE)).status).toBe(200);
  });

  test("refuses bodies that are too large, no JSON, or begin no session", async () => {
    const at = await start();
    expect((await post(at, `"${"x".repeat(MAX_BODY_BYTES)}"`)).status).toBe(413);
    // Without a declared length the bytes are counted as they come.
    const chunked = { "transfer-encoding": "chunked" };
    expect((await post(at, `"${"x".repeat(MAX_BODY_BYTES)}"`, chunked)).status).toBe(413);
    expect((await post(at, "{")).status).toBe(400);
    expect((await post(at, "[".repeat(10_000))).status).toBe(400);
    expect((await post(at, LIST)).status).toBe(400);
    expect((await post(at, LIST, { "mcp-session-id": "no-such" })).status).toBe(404);
    expect((await post(at, `[${INITIALIZE}]`)).status).toBe(400);
    expect((await post(at, "", {}, "PUT")).status).toBe(400);
  });

  test("answers wrong arguments as errors of the tool, and names no path", async () => {
    const client = await connect(await start({ access: createHttpAccess({ token: TOKEN }) }), TOKEN);
    for (const args of [
      { fixture_id: "../../etc" },
      { fixture_id: "/etc" },
      { fixture_id: "a", path: "/etc" },
      { fixture_id: "missing" },
    ]) {
      const { isError } = await client.callTool({ name: "fixture_status", arguments: args });
      expect(isError).toBe(true);
    }
    const refs = ["--upload-pack=touch x", "main..HEAD", "HEAD:agents/other.mjs", "$(touch x)", ""];
    for (const broken of refs) {
      const args = { fixture_id: "a", broken, fixed: "HEAD" };
      const { isError, content } = await client.callTool({ name: "certify_fixture", arguments: args });
      expect(isError).toBe(true);
      expect(JSON.stringify(content)).toMatch(/broken/);
    }
    await expect(client.request({ method: "no/such" } as never, {} as never)).rejects.toThrow(/Method not found/);
    await client.close();
  });
});
