import { createByteBudget } from "./byte-collector.ts";
import { watchClientRequests } from "./client-request.ts";
import { onUndici, type DispatcherPrototype } from "./find-undici.ts";
import type { HttpContext } from "./http-context.ts";
import { wrapDispatch } from "./undici-dispatch.ts";

export interface InstrumentHttpOptions {
  /** Of the recorded waits, how much a replay keeps: 0 none (the default), 1 all. */
  readonly delayScale?: number;
}

/** Bodies of all exchanges under way together; beyond it they are kept as hashes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Records every outbound HTTP exchange that the code of a run makes, one call per attempt: through `fetch`, any copy of
 * undici, `node:http` and `node:https`. Outside a run, and for telemetry, nothing is touched. With a call interceptor
 * installed (a replay) the exchanges are answered by it and nothing is sent. HTTP/2 of `node:http2` is not covered.
 *
 * Returns what undoes it. A second call while it is in force changes nothing.
 */
export function instrumentHttp(options: InstrumentHttpOptions = {}): () => void {
  if (slots[SLOT] === true) return () => {};
  slots[SLOT] = true;
  const context: HttpContext = { budget: createByteBudget(MAX_HELD_BYTES), delayScale: options.delayScale ?? 0 };
  const undo = [watchClientRequests(context), watchUndici(context)];
  return () => {
    for (const one of undo.splice(0)) one();
    slots[SLOT] = false;
  };
}

// Two copies of the package must not record everything twice.
const SLOT = Symbol.for("runproof.http");
const slots = globalThis as unknown as Record<symbol, boolean | undefined>;

function watchUndici(context: HttpContext): () => void {
  const originals = new Map<DispatcherPrototype, DispatcherPrototype["dispatch"]>();
  const stop = onUndici((prototype) => {
    if (originals.has(prototype)) return;
    originals.set(prototype, prototype.dispatch);
    prototype.dispatch = wrapDispatch(prototype.dispatch, context);
  });
  return () => {
    stop();
    for (const [prototype, dispatch] of originals) prototype.dispatch = dispatch;
  };
}
