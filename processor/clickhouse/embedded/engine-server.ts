import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import { accessDenied, EngineError, engineErrorFrom } from "./engine-error.ts";
import type { EngineExecutor } from "./engine-executor.ts";
import { bodyOf, requestFrom } from "./engine-request.ts";
import type { Caller, EngineRights } from "./engine-rights.ts";
import type { EngineResult } from "./engine-sessions.ts";

/** Bytes after inflation. A reader sends statements, the service blocks of rows. */
const MAX_BODY_BYTES = { reader: 256 * 1024, service: 256 * 1024 * 1024 } as const;

const gzipAsync = promisify(gzip);

export interface EngineServerOptions {
  readonly executor: EngineExecutor;
  readonly rights: EngineRights;
  readonly version: string;
}

/** ClickHouse's HTTP interface in front of the embedded engine. Not yet listening. */
export function createEngineServer(options: EngineServerOptions): Server {
  const limits = {
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 1024 * 1024,
  };
  const server = createServer(limits, (request, response) => void answer(request, response, options));
  server.maxConnections = 256;
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, options: EngineServerOptions): Promise<void> {
  response.setHeader("X-ClickHouse-Server-Display-Name", "runproof");
  response.setHeader("X-ClickHouse-Timezone", "UTC");
  try {
    assertLoopbackName(request);
    if (isPath(request, "/ping") || isEmptyGet(request)) sendOk(response);
    else await answerQuery(request, response, options);
  } catch (error) {
    // What is left of a refused body must not be read as the next request.
    if (!request.complete && !response.headersSent) response.setHeader("Connection", "close");
    sendError(response, engineErrorFrom(error), options.version);
  }
}

async function answerQuery(
  message: IncomingMessage,
  response: ServerResponse,
  options: EngineServerOptions,
): Promise<void> {
  if (!isPath(message, "/")) throw new EngineError(1000, "POCO_EXCEPTION", `There is no handle ${message.url ?? ""}.`);
  if (message.method !== "GET" && message.method !== "POST") {
    throw new EngineError(1, "UNSUPPORTED_METHOD", "Only GET and POST are understood.");
  }
  const request = requestFrom(message);
  response.setHeader("X-ClickHouse-Query-Id", (request.queryId ?? randomUUID()).replaceAll(/[^\w.:-]/g, "_"));
  const caller = options.rights(request.credential);
  const gone = new AbortController();
  response.on("close", () => response.writableFinished || gone.abort());
  const body = bodyOf(message, MAX_BODY_BYTES[caller.role]);
  // As with ClickHouse, a GET cannot change anything: a link or an image tag is not a statement.
  const effective: Caller = message.method === "GET" ? { ...caller, role: "reader" } : caller;
  const result = await options.executor.execute({ request, ...effective, body, signal: gone.signal });
  await sendResult(message, response, result);
}

/** A web page that rebinds its own host name to this address does not get through (DNS rebinding). */
function assertLoopbackName(request: IncomingMessage): void {
  const name = (request.headers.host ?? "localhost").replace(/:\d+$/, "").toLowerCase();
  if (!["localhost", "127.0.0.1", "[::1]"].includes(name)) throw accessDenied("unknown Host");
}

function isPath(request: IncomingMessage, path: string): boolean {
  return (request.url ?? "/").split("?")[0] === path;
}

function isEmptyGet(request: IncomingMessage): boolean {
  return request.method === "GET" && isPath(request, "/") && !(request.url ?? "").includes("query=");
}

function sendOk(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/html; charset=UTF-8" });
  response.end("Ok.\n");
}

async function sendResult(request: IncomingMessage, response: ServerResponse, result: EngineResult): Promise<void> {
  response.setHeader("Content-Type", "text/plain; charset=UTF-8");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader(
    "X-ClickHouse-Summary",
    JSON.stringify({
      read_rows: String(result.rowsRead),
      read_bytes: String(result.bytesRead),
      elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
    }),
  );
  if (/\bgzip\b/.test(request.headers["accept-encoding"] ?? "") && result.bytes.length > 0) {
    response.setHeader("Content-Encoding", "gzip");
    response.end(await gzipAsync(result.bytes, { level: 1 }));
  } else response.end(result.bytes);
}

function sendError(response: ServerResponse, error: EngineError, version: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const headers = { "Content-Type": "text/plain; charset=UTF-8", "X-ClickHouse-Exception-Code": String(error.code) };
  response.writeHead(error.httpStatus, headers);
  response.end(`${error.text.trimEnd()} (version ${version})\n`);
}
