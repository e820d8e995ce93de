import { channel } from "node:diagnostics_channel";
import { createRequire } from "node:module";
import type { Dispatch } from "./undici-types.ts";

/** The class that all clients of one copy of undici share: agents, pools, proxies and single connections. */
export interface DispatcherPrototype {
  dispatch: Dispatch;
}

const FILE = /(?:^|[\\/])dispatcher-base(?:\.js)?$/;

/**
 * Tells of every copy of undici in the process: Node's own, those that are loaded already, and those that will be.
 * Returns what stops the telling. Copies that a bundler has renamed are not found.
 */
export function onUndici(found: (prototype: DispatcherPrototype) => void): () => void {
  const tell = (candidate: unknown): void => {
    const prototype = prototypeOf(candidate);
    if (prototype !== undefined) found(prototype);
  };
  tell(builtIn());
  const { cache } = createRequire(import.meta.url);
  for (const [path, loaded] of Object.entries(cache)) if (FILE.test(path)) tell(loaded?.exports);
  // Told by Node itself after each `require()`, also of those inside a package that was imported.
  const loading = channel("tracing:module.require:end");
  const onLoaded = (message: unknown): void => {
    const { id, result } = message as { readonly id?: unknown; readonly result?: unknown };
    if (typeof id === "string" && FILE.test(id)) tell(result);
  };
  loading.subscribe(onLoaded);
  return () => {
    loading.unsubscribe(onLoaded);
  };
}

/** The class behind `fetch`. Node loads it when one of its names is first used. */
function builtIn(): unknown {
  void globalThis.Headers;
  const slots = globalThis as unknown as Record<symbol, object | undefined>;
  // Undici 8 keeps a wrapper for older copies under the first name.
  const dispatcher = slots[Symbol.for("undici.globalDispatcher.2")] ?? slots[Symbol.for("undici.globalDispatcher.1")];
  let prototype: object | null = dispatcher === undefined ? null : Object.getPrototypeOf(dispatcher);
  while (prototype !== null && !Object.hasOwn(prototype, "dispatch")) prototype = Object.getPrototypeOf(prototype);
  return prototype === null ? undefined : { prototype };
}

function prototypeOf(candidate: unknown): DispatcherPrototype | undefined {
  const prototype = (candidate as { readonly prototype?: unknown } | null | undefined)?.prototype;
  const dispatch = (prototype as Partial<DispatcherPrototype> | null | undefined)?.dispatch;
  return typeof dispatch === "function" ? (prototype as DispatcherPrototype) : undefined;
}
