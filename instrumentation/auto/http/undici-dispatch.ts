import { failOpen } from "../../fail-open.ts";
import type { HttpContext } from "./http-context.ts";
import { OpenExchange } from "./open-exchange.ts";
import { trafficOf } from "./own-traffic.ts";
import { tappedBody } from "./undici-body.ts";
import { headerPairs, lowerCased } from "./undici-headers.ts";
import { replayDispatch } from "./undici-replay.ts";
import { tappedHandler } from "./undici-tap.ts";
import { isNewStyle, type Dispatch, type DispatchOptions, type UndiciHandler } from "./undici-types.ts";

/** On options that have been looked at: agents hand them on to pools, and pools to clients, maybe later. */
const SEEN = Symbol("runproof.seen");

/** Dispatching goes from agent to pool to client within one call; only the outermost is the agent's request. */
let depth = 0;

export function wrapDispatch(original: Dispatch, context: HttpContext): Dispatch {
  return function dispatch(this: object, options, handler) {
    const inner = (given: DispatchOptions, to: UndiciHandler): boolean => {
      depth++;
      try {
        return Reflect.apply(original, this, [given, to]) as boolean;
      } finally {
        depth--;
      }
    };
    if (depth > 0 || SEEN in Object(options)) return inner(options, handler);
    const take = (): (() => boolean) | undefined =>
      exchangeOf({ options, handler, context, inner, url: urlOf(this, options) });
    const answer = failOpen("looking at an HTTP request", take, undefined);
    return answer === undefined ? inner(options, handler) : answer();
  };
}

interface Dispatching {
  readonly url: URL | undefined;
  readonly options: DispatchOptions;
  readonly handler: UndiciHandler;
  readonly context: HttpContext;
  readonly inner: (options: DispatchOptions, handler: UndiciHandler) => boolean;
}

/** What to do in place of the dispatch; `undefined` to leave it alone. */
function exchangeOf({ options, handler, context, inner, url }: Dispatching): (() => boolean) | undefined {
  if (url === undefined) return undefined;
  const traffic = trafficOf(url, options.method);
  if (traffic.type === "untouched") return undefined;
  if (traffic.type === "refused") return () => refused(handler, traffic.error);
  const { scope, isReplay } = traffic;
  const headers = (): ReturnType<typeof lowerCased> => lowerCased(headerPairs(options.headers));
  const exchange = new OpenExchange({ method: options.method, url, headers }, scope, context.budget);
  const tapped = tappedHandler(handler, exchange);
  if (isReplay) {
    const { delayScale } = context;
    const dispatch = (body: Buffer): void =>
      void inner({ ...options, [SEEN]: true, body: body.length > 0 ? body : null } as DispatchOptions, tapped);
    return () => {
      void replayDispatch({ options, handler, exchange, delayScale, dispatch });
      return true;
    };
  }
  const body = tappedBody(options.body, (bytes) =>
    failOpen("watching a request body", () => exchange.sent(bytes), undefined),
  );
  return () => {
    try {
      return inner({ ...options, body, [SEEN]: true } as DispatchOptions, tapped);
    } catch (error) {
      exchange.break({ type: "failed", error });
      throw error;
    }
  };
}

function urlOf(dispatcher: object, { origin, path, query }: DispatchOptions): URL | undefined {
  const base = origin ?? ownOrigin(dispatcher);
  const url = URL.parse(String(path), base === undefined ? undefined : String(base));
  if (url === null) return undefined;
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, String(value));
  return url;
}

/** A pool and a client know their origin, under a symbol of their copy of undici. */
function ownOrigin(dispatcher: object): string | undefined {
  const symbol = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === "url");
  const url: unknown = symbol === undefined ? undefined : Reflect.get(dispatcher, symbol);
  return url instanceof URL ? url.origin : typeof url === "string" ? url : undefined;
}

function refused(handler: UndiciHandler, error: Error): boolean {
  queueMicrotask(() => (isNewStyle(handler) ? handler.onResponseError?.(null, error) : handler.onError?.(error)));
  return true;
}
