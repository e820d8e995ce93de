import { join, resolve } from "node:path";

/** The engine's data, the files of rows on their way into it, and its configuration. */
export interface EngineDirectories {
  readonly engine: string;
  readonly inbox: string;
  readonly access: string;
}

export function engineDirectories(dataDirectory: string): EngineDirectories {
  const root = resolve(dataDirectory);
  return { engine: join(root, "engine"), inbox: join(root, "inbox"), access: join(root, "access") };
}
