import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "./config-error.ts";

const FILE_NAMES = ["ts", "mts", "js", "mjs"].map((extension) => `runproof.config.${extension}`);

/** The nearest `runproof.config.{ts,mts,js,mjs}`, from `directory` upwards to the repository's root. */
export function findConfig(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const found = FILE_NAMES.map((name) => join(at, name)).find((path) => existsSync(path));
    const isTop = existsSync(join(at, ".git")) || dirname(at) === at;
    if (found !== undefined || isTop) return found;
  }
}

/** What a configuration's module exports as its default. Throws `ConfigError` for one that cannot be loaded. */
export async function importConfig(path: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    throw new ConfigError(path, [reasonOf(error)], { cause: error });
  }
}

function reasonOf(error: unknown): string {
  // Node strips types by itself from 22.18 on.
  if ((error as { readonly code?: unknown } | null)?.code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return (
      `Node ${process.versions.node} does not load TypeScript here: ` +
      "name the file runproof.config.mjs, start Node with --experimental-strip-types, or use Node 22.18 or later"
    );
  }
  return error instanceof Error ? error.message : String(error);
}
