import http, { type ClientRequest } from "node:http";
import { failOpen } from "../../fail-open.ts";
import { tapAnswer, tapRequestBody } from "./client-request-tap.ts";
import { replayClientRequest } from "./client-request-replay.ts";
import type { HttpContext } from "./http-context.ts";
import { OpenExchange } from "./open-exchange.ts";
import { trafficOf } from "./own-traffic.ts";

type AddRequest = (this: unknown, request: ClientRequest, options: unknown, ...rest: unknown[]) => void;

/**
 * Watches `node:http` and `node:https` where a request asks its agent for a connection: that sees requests through
 * names that were imported earlier too, and before any connection exists. Returns what undoes it.
 */
export function watchClientRequests(context: HttpContext): () => void {
  const prototype = http.Agent.prototype as unknown as { addRequest: AddRequest };
  const original = prototype.addRequest;
  const addRequest: AddRequest = function addRequest(this: unknown, request, options, ...rest) {
    const connect = (): void => Reflect.apply(original, this, [request, options, ...rest]);
    const isTaken = failOpen("looking at an HTTP request", () => takes({ request, connect, context }), false);
    if (!isTaken) connect();
  };
  prototype.addRequest = addRequest;
  return () => {
    if (prototype.addRequest === addRequest) prototype.addRequest = original;
  };
}

interface Adding {
  readonly request: ClientRequest;
  readonly connect: () => void;
  readonly context: HttpContext;
}

/** Whether the request is answered in another way, so that no connection is needed. */
function takes({ request, connect, context }: Adding): boolean {
  const url = urlOf(request);
  if (url === undefined) return false;
  const traffic = trafficOf(url, request.method);
  if (traffic.type === "untouched") return false;
  if (traffic.type === "refused") {
    request.destroy(traffic.error);
    request.onSocket(undefined as never);
    return true;
  }
  const { scope, isReplay } = traffic;
  const exchange = new OpenExchange(
    { method: request.method, url, headers: () => headersOf(request) },
    scope,
    context.budget,
  );
  tapAnswer(request, exchange);
  if (isReplay) replayClientRequest({ request, url, exchange, delayScale: context.delayScale, connect });
  else tapRequestBody(request, (bytes) => exchange.sent(bytes));
  return isReplay;
}

function urlOf(request: ClientRequest): URL | undefined {
  const { protocol, host, path } = request;
  const given = request.getHeader("host");
  const authority = typeof given === "string" && given !== "" ? given : host.includes(":") ? `[${host}]` : host;
  // A request through a proxy names the whole URL.
  return URL.parse(path, `${protocol}//${authority}`) ?? undefined;
}

const headersOf = (request: ClientRequest): (readonly [string, string])[] =>
  Object.entries(request.getHeaders()).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
