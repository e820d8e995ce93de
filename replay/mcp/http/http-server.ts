import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { isJsonObject } from "../../../instrumentation/json/json.ts";
import type { McpSdk } from "../sdk.ts";
import { createToolServer, type ToolServerOptions } from "../server.ts";
import type { Grant, HttpAccess } from "./http-access.ts";
import { strangerProblem } from "./http-guard.ts";
import { readBody } from "./read-body.ts";
import { createSessions, DEFAULT_SESSION_LIMITS, type SessionLimits, type Sessions } from "./sessions.ts";

export interface HttpServerOptions extends Omit<ToolServerOptions, "env"> {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly access: HttpAccess;
  /** What a session's tools see of its client's credential. */
  readonly envOf: (grant: Grant) => Readonly<Record<string, string>>;
  readonly limits?: SessionLimits;
}

export interface HttpServer {
  /** Where clients connect. */
  readonly url: string;
  /** Ends sessions and their calls, and stops listening. */
  close(): Promise<void>;
}

export const MCP_PATH = "/mcp";

/** A client sends small messages and reads long streams. */
const SERVER_LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
};
const MAX_CONNECTIONS = 64;
const IDLE_CHECK_MILLIS = 60_000;
const SESSION_HEADER = "mcp-session-id";

/** Serves clients over streamable HTTP, each in a session of its own. @throws Error when it cannot listen */
export async function startHttpServer(sdk: McpSdk, options: HttpServerOptions): Promise<HttpServer> {
  const sessions = createSessions<StreamableHTTPServerTransport>(options.limits ?? DEFAULT_SESSION_LIMITS);
  const serving = { sdk, options, sessions };
  const server = createServer(SERVER_LIMITS, (request, response) => {
    answer(serving, request, response).catch((error: unknown) => {
      options.log(`MCP: ${error instanceof Error ? error.message : String(error)}`);
      refuse(response, { status: 500, reason: "the request could not be answered" });
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(options.port, options.host);
  await once(server, "listening");
  const timer = setInterval(() => sessions.closeIdle(), IDLE_CHECK_MILLIS);
  timer.unref();
  const { port } = server.address() as { port: number };
  const name = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `http://${name}:${port}${MCP_PATH}`,
    async close() {
      clearInterval(timer);
      const closed = once(server, "close");
      server.close();
      await sessions.closeAll();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Serving {
  readonly sdk: McpSdk;
  readonly options: HttpServerOptions;
  readonly sessions: Sessions<StreamableHTTPServerTransport>;
}

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, sessions } = serving;
  const stranger = strangerProblem(request.headers, options.host);
  if (stranger !== undefined) return refuse(response, { status: 403, reason: stranger });
  const access = options.access.of(request.headers.authorization);
  if (!access.ok) return refuse(response, refusalOf(access.status));
  if ((request.url ?? "").split("?")[0] !== MCP_PATH)
    return refuse(response, { status: 404, reason: `use ${MCP_PATH}` });
  const reading = request.method === "POST" ? await readBody(request) : ({ ok: true, body: undefined } as const);
  if (!reading.ok) return refuse(response, reading);
  const id = request.headers[SESSION_HEADER];
  if (typeof id !== "string") {
    if (isInitialize(reading.body)) return await open(serving, access.grant, { request, response, body: reading.body });
    return refuse(response, {
      status: 400,
      reason: `a session begins with initialize; then ${SESSION_HEADER} names it`,
    });
  }
  const transport = sessions.find(id, access.grant.holder);
  if (transport === undefined) return refuse(response, { status: 404, reason: "there is no such session" });
  // The standing stream of a client that is long gone keeps nothing alive.
  const end = request.method === "POST" ? sessions.begin(id) : () => {};
  response.once("close", end);
  await transport.handleRequest(request, response, reading.body);
}

interface Opening {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: unknown;
}

async function open({ sdk, options, sessions }: Serving, grant: Grant, { request, response, body }: Opening) {
  const place = sessions.reserve();
  if (place === undefined) {
    const headers = { "retry-after": "60" };
    return refuse(response, { status: 503, reason: "too many sessions; end one, or try again later", headers });
  }
  try {
    const transport: StreamableHTTPServerTransport = new sdk.StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => place.fill(id, grant.holder, transport),
    });
    const writes = options.writes && grant.writes;
    const server = createToolServer(sdk, { ...options, writes, env: options.envOf(grant) });
    // Also when the client ends the session by DELETE.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's server is no event target
    server.server.onclose = () => transport.sessionId !== undefined && sessions.drop(transport.sessionId);
    // The SDK's own types do not fit each other under exactOptionalPropertyTypes.
    await server.connect(transport as Transport);
    await transport.handleRequest(request, response, body);
  } finally {
    place.release();
  }
}

/** One message, as the protocol has it: a batch does not begin a session. */
const isInitialize = (body: unknown): boolean => isJsonObject(body) && body["method"] === "initialize";

const refusalOf = (status: 401 | 403): Refusal =>
  status === 401
    ? { status, reason: "a bearer token is needed", headers: { "www-authenticate": "Bearer" } }
    : { status, reason: "the token does not allow this" };

/** As the transport itself refuses: a JSON-RPC error without an id. */
function refuse(response: ServerResponse, { status, reason, headers = {} }: Refusal): void {
  if (response.headersSent) return void response.end();
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: "2.0", error: { code: -32000, message: reason }, id: null }));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "cache-control": "no-store",
    // What is left of a body that nobody reads must not be read as the next request.
    connection: "close",
    ...headers,
  });
  response.end(bytes);
}
