import type { IncomingMessage } from "node:http";
import type { ApiRoute } from "./api-route.ts";
import { type ApiAnswer, askerOf, type Guard, hasBody } from "./asker.ts";

export interface ApiOptions extends Guard {
  readonly routes: readonly ApiRoute[];
}

/** Bytes of a request's JSON. */
const MAX_BODY_BYTES = 65_536;

/** The answer to a request for `/v1/…`; `undefined` when no route has this path. */
export async function answerApi(request: IncomingMessage, options: ApiOptions): Promise<ApiAnswer | undefined> {
  // Some request targets are no URL; none of ours is one of those.
  const url = URL.parse(request.url ?? "/", "http://localhost");
  const routes = options.routes.filter(({ path }) => path === url?.pathname);
  if (url === null || routes.length === 0) return undefined;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const route = routes.find((one) => one.method === method);
  if (route === undefined) {
    const allow = routes.map((one) => one.method).join(", ");
    return { status: 405, body: { error: `Use ${allow}.` }, headers: { allow } };
  }
  const asker = askerOf(request, { access: route.access, told: "This is not told" }, options);
  if ("status" in asker) return asker;
  const body = await bodyOf(request, route);
  if ("refused" in body) return body.refused;
  return route.handle({ query: url.searchParams, body: body.value, identity: asker.identity });
}

type Body = { readonly value: unknown } | { readonly refused: ApiAnswer };

const refused = (status: number, error: string): Body => ({
  // What is left of a body must not be read as the next request.
  refused: { status, body: { error }, headers: { connection: "close" } },
});

async function bodyOf(request: IncomingMessage, { method }: ApiRoute): Promise<Body> {
  const { headers } = request;
  if (method === "GET") return hasBody(request) ? refused(413, "A GET has no body here.") : { value: undefined };
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
