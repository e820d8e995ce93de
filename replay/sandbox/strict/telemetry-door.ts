/**
 * Gives OTLP exporters behind the wall a receiver without a network: HTTP connections to the replay's endpoint end in
 * this process, and each request goes to the worker as a message.
 */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { duplexPair } from "node:stream";
import type { OtlpReply, OtlpRequestMessage, ToChild } from "../messages.ts";

export interface TelemetryDoor {
  /** Takes the worker's answer to an earlier request. */
  settle(reply: Extract<ToChild, { type: "otlp_reply" }>): void;
}

/** Opens the door at `endpoint` (`http://127.0.0.1:49152`, an address where nobody needs to listen). */
export function openTelemetryDoor(endpoint: string, send: (message: OtlpRequestMessage) => void): TelemetryDoor {
  const { hostname, port } = new URL(endpoint);
  const waiting = new Map<number, (reply: OtlpReply) => void>();
  let nextId = 0;
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const id = nextId++;
    const { promise, resolve } = Promise.withResolvers<OtlpReply>();
    waiting.set(id, resolve);
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" ? [[name, value]] : [],
    );
    const body = Buffer.concat(chunks).toString("base64");
    const { method = "POST", url = "/" } = request;
    send({ type: "otlp", id, method, url, headers: Object.fromEntries(headers), body });
    const reply = await promise;
    response.writeHead(reply.status, reply.headers).end(Buffer.from(reply.body, "base64"));
  };
  // It never listens: connections are put into it.
  const server = http.createServer(
    (request, response) => void forward(request, response).catch(() => response.destroy()),
  );
  connectThrough(server, (options) => options.host === hostname && String(options.port) === port);
  return {
    settle({ id, ...reply }) {
      waiting.get(id)?.(reply);
      waiting.delete(id);
    },
  };
}

interface Target {
  readonly host?: string | null | undefined;
  readonly port?: number | string | null | undefined;
}

type CreateConnection = (
  this: http.Agent,
  options: Target,
  created?: (error: Error | null, socket: unknown) => void,
) => unknown;

function connectThrough(server: http.Server, isDoor: (options: Target) => boolean): void {
  const prototype = http.Agent.prototype as unknown as { createConnection: CreateConnection };
  const original = prototype.createConnection;
  prototype.createConnection = function (options, created) {
    if (!isDoor(options)) return original.call(this, options, created);
    const [inside, outside] = duplexPair();
    server.emit("connection", asSocket(outside));
    return asSocket(inside);
  };
  syncBuiltinESMExports();
}

/** What HTTP asks of a socket that a plain stream has not: there is no time-out and no handle here. */
function asSocket<Stream extends object>(stream: Stream): Stream {
  const nothing = (): Stream => stream;
  return Object.assign(stream, {
    setTimeout: nothing,
    setKeepAlive: nothing,
    setNoDelay: nothing,
    ref: nothing,
    unref: nothing,
  });
}
