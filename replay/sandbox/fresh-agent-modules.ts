import { createRequire, registerHooks } from "node:module";

/** The agent's modules of one replay after another, in one process. */
export interface FreshAgentModules {
  /** From now on the agent's own modules are loaded anew. */
  begin(): void;
}

const PACKAGE_ROOT = new URL("../../", import.meta.url).href;
const SHARED_ROOMS = ["instrumentation/", "processor/", "replay/"].map((room) => PACKAGE_ROOT + room);

/**
 * Makes every replay load the agent's own modules anew, so that what they keep in variables ends with the replay.
 * Packages (`node_modules`) and runproof itself stay loaded: they are what takes a process long to start.
 */
export function freshAgentModules(): FreshAgentModules {
  let generation = 0;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const isImport = context.conditions.includes("import");
      if (!isImport || isShared(resolved.url)) return resolved;
      return { ...resolved, url: marked(resolved.url, generation) };
    },
  });
  const cache = createRequire(import.meta.url).cache;
  return {
    begin() {
      generation++;
      for (const path of Object.keys(cache)) if (!path.includes("/node_modules/")) delete cache[path];
    },
  };
}

/** Modules that stay loaded from one replay to the next. */
const isShared = (url: string): boolean =>
  !url.startsWith("file:") ||
  url.includes("/node_modules/") ||
  (SHARED_ROOMS.some((room) => url.startsWith(room)) && !url.includes("/testing/"));

function marked(url: string, generation: number): string {
  const copy = new URL(url);
  copy.searchParams.set("runproof-replay", String(generation));
  return copy.href;
}
