import { failOpen } from "../../fail-open.ts";
import type { Broken, OpenExchange } from "./open-exchange.ts";
import { headerPairs } from "./undici-headers.ts";
import type { DispatchController, UndiciHandler } from "./undici-types.ts";

/** Sees the arguments of a callback before its owner does; may return others. */
type Watcher = (...args: never[]) => unknown[] | void;

/**
 * A handler that tells `exchange` what undici tells `handler`. It has exactly the callbacks that `handler` has: clients
 * are told apart by them.
 */
export function tappedHandler(handler: UndiciHandler, exchange: OpenExchange): UndiciHandler {
  const watchers = watchersOf(exchange);
  return new Proxy(handler, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const watcher = typeof name === "string" && Object.hasOwn(watchers, name) ? watchers[name] : undefined;
      return (...args: unknown[]): unknown => {
        const given = watcher === undefined ? args : watched(watcher, args);
        return Reflect.apply(value, target, given);
      };
    },
  });
}

const watched = (watcher: Watcher, args: unknown[]): unknown[] =>
  failOpen("watching an HTTP exchange", () => watcher(...(args as never[])) ?? args, args);

function watchersOf(exchange: OpenExchange): Record<string, Watcher> {
  let hasAborted = false;
  const aborting =
    (abort: (reason?: unknown) => void) =>
    (reason?: unknown): void => {
      hasAborted = true;
      abort(reason);
    };
  const head = (status: number, headers: unknown, statusText: string | undefined): void => {
    // 1xx answers come before the one that counts.
    if (status >= 200) exchange.answered({ status, statusText: statusText ?? "", headers: headerPairs(headers) });
  };
  const fail = (error: unknown): void => exchange.break(brokenBy(error, hasAborted));
  const watchers: Record<string, Watcher> = {
    onConnect: (abort: (reason?: unknown) => void, ...rest: unknown[]) => [aborting(abort), ...rest],
    onHeaders: (status: number, headers: unknown, _resume: unknown, text?: string) => head(status, headers, text),
    onData: (chunk: Uint8Array) => exchange.received(chunk),
    onComplete: () => exchange.complete(),
    onError: fail,
    onUpgrade: () => exchange.upgraded(),
    onRequestStart: (controller: DispatchController) => {
      controller.abort = aborting(controller.abort.bind(controller));
    },
    onResponseStart: (controller: DispatchController, status: number, headers: unknown, text?: string) =>
      head(status, controller.rawHeaders ?? headers, text),
    onResponseData: (_controller: unknown, chunk: Uint8Array) => exchange.received(chunk),
    onResponseEnd: () => exchange.complete(),
    onResponseError: (_controller: unknown, error: unknown) => fail(error),
    onRequestUpgrade: () => exchange.upgraded(),
  };
  return watchers;
}

/** An agent that aborts gets its own reason as the error; that was no doing of the network. */
const brokenBy = (error: unknown, hasAborted: boolean): Broken =>
  hasAborted ? { type: "aborted" } : { type: "failed", error };
