import type { ClientRequest, IncomingMessage } from "node:http";
import { failOpen } from "../../fail-open.ts";
import type { OpenExchange } from "./open-exchange.ts";
import { headerPairs } from "./header-pairs.ts";

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Puts `before` in front of a method of one object. What it throws is reported and changes nothing. */
export function watch(target: object, name: string, before: (...args: unknown[]) => void): void {
  const holder = target as Record<string, AnyFunction>;
  const original = holder[name] as AnyFunction;
  holder[name] = function watched(this: unknown, ...args: unknown[]): unknown {
    failOpen("watching an HTTP request", () => before(...args), undefined);
    return Reflect.apply(original, this, args);
  };
}

/** Tells `tap` the body of a request while the agent writes it. */
export function tapRequestBody(request: ClientRequest, tap: (bytes: Uint8Array) => void): void {
  const written = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === "string") tap(Buffer.from(chunk, encodingOf(encoding)));
    else if (chunk instanceof Uint8Array) tap(chunk);
  };
  watch(request, "write", written);
  watch(request, "end", written);
}

const encodingOf = (encoding: unknown): BufferEncoding =>
  typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : "utf8";

/**
 * Tells `exchange` what becomes of a request. Events are seen on their way out and not through listeners: a listener of
 * ours would keep Node from dropping an answer nobody wants, and from reporting an error nobody handles.
 */
export function tapAnswer(request: ClientRequest, exchange: OpenExchange): void {
  let hasAborted = false;
  const broken = (error: unknown): void => exchange.break(hasAborted ? { type: "aborted" } : { type: "failed", error });
  watch(request, "destroy", () => (hasAborted = true));
  watch(request, "emit", (event, first) => {
    if (event === "response")
      tapResponse(first as IncomingMessage, { exchange, broken, abort: () => (hasAborted = true) });
    else if (event === "error") broken(first);
    else if (event === "upgrade" || event === "connect") exchange.upgraded();
    else if (event === "close") broken(undefined);
  });
}

interface ResponseTap {
  readonly exchange: OpenExchange;
  readonly broken: (error: unknown) => void;
  readonly abort: () => void;
}

function tapResponse(response: IncomingMessage, { exchange, broken, abort }: ResponseTap): void {
  const { rawHeaders, statusCode = 0, statusMessage = "" } = response;
  exchange.answered({ status: statusCode, statusText: statusMessage, headers: headerPairs(rawHeaders) });
  // Each part as the parser gives it, whether or not anybody reads.
  watch(response, "push", (chunk) => {
    if (chunk instanceof Uint8Array) exchange.received(chunk);
    else if (chunk === null && response.complete) exchange.complete();
  });
  watch(response, "destroy", (error) => {
    if (response.complete) return;
    if (!isCut(error)) abort();
    broken(error);
  });
}

/** Node's own word for a connection that ended early; anything else comes from the agent. */
const isCut = (error: unknown): boolean => (error as { readonly code?: unknown } | undefined)?.code === "ECONNRESET";
