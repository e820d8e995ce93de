import type { IncomingMessage } from "node:http";
import { isLoopback } from "../auth/exposure.ts";
import type { Authenticator, Identity } from "../auth/identity.ts";
import type { ApiReply, ApiRoute } from "./api-route.ts";

export interface ApiOptions {
  readonly routes: readonly ApiRoute[];
  readonly authenticator: Authenticator;
  /** Where the server listens; beyond loopback only what is open is told without credentials. */
  readonly host: string;
  readonly allowUnauthenticated: boolean;
}

export interface ApiAnswer extends ApiReply {
  readonly headers?: Readonly<Record<string, string>>;
}

/** Bytes of a request's JSON. */
const MAX_BODY_BYTES = 65_536;

/** The answer to a request for `/v1/…`; `undefined` when no route has this path. */
export async function answerApi(request: IncomingMessage, options: ApiOptions): Promise<ApiAnswer | undefined> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const routes = options.routes.filter(({ path }) => path === url.pathname);
  if (routes.length === 0) return undefined;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const route = routes.find((one) => one.method === method);
  if (route === undefined) {
    const allow = routes.map((one) => one.method).join(", ");
    return { status: 405, body: { error: `Use ${allow}.` }, headers: { allow } };
  }
  const asker = askerOf(request, route, options);
  if ("status" in asker) return asker;
  const body = await bodyOf(request, route);
  if ("refused" in body) return body.refused;
  return route.handle({ query: url.searchParams, body: body.value, identity: asker.identity });
}

function askerOf(
  request: IncomingMessage,
  { access }: ApiRoute,
  { authenticator, host, allowUnauthenticated }: ApiOptions,
): { readonly identity: Identity | undefined } | ApiAnswer {
  const { authorization } = request.headers;
  if (authenticator.open) {
    if (access === "open" || isLoopback(host) || allowUnauthenticated) return { identity: undefined };
    return {
      status: 403,
      body: { error: "This is not told beyond loopback without tokens (tokensFile, allowUnauthenticated)." },
    };
  }
  const found = authenticator.authenticate({ authorization }, access === "open" ? "admin" : access);
  if (!("refused" in found)) return { identity: found };
  if (access === "open") return { identity: undefined };
  return found.refused === "forbidden"
    ? { status: 403, body: { error: "The credential does not allow this." } }
    : { status: 401, body: { error: "A valid credential is needed." }, headers: { "www-authenticate": "Bearer" } };
}

type Body = { readonly value: unknown } | { readonly refused: ApiAnswer };

const refused = (status: number, error: string): Body => ({
  // What is left of a body must not be read as the next request.
  refused: { status, body: { error }, headers: { connection: "close" } },
});

async function bodyOf(request: IncomingMessage, { method }: ApiRoute): Promise<Body> {
  const { headers } = request;
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  if (method === "GET") return hasBody ? refused(413, "A GET has no body here.") : { value: undefined };
  // A web page can send neither this type nor, from elsewhere, without an Origin: no change by a forged request.
  if (!/^application\/json(;|$)/i.test(headers["content-type"] ?? "")) return refused(415, "Send application/json.");
  if (headers.origin !== undefined) return refused(403, "Not for web pages.");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return refused(413, `A body has at most ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
  } catch {
    return refused(400, "The body is not JSON.");
  }
}
