import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { findConfig } from "../../instrumentation/config-file/find-config.ts";

const CHANGED = [
  "runproof.config has changed since this server read it, and is read only once: start the server again.",
];

/**
 * Notices when the configuration is another one than the server works with: a module is loaded once in the life of a
 * process, and a coding agent may edit it meanwhile.
 */
export async function configurationNotes(cwd: string): Promise<() => Promise<readonly string[]>> {
  const before = await fingerprint(cwd);
  return async () => ((await fingerprint(cwd)) === before ? [] : CHANGED);
}

async function fingerprint(cwd: string): Promise<string> {
  const path = findConfig(resolve(cwd));
  if (path === undefined) return "";
  const { mtimeMs, size, ino } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0, ino: 0 }));
  return JSON.stringify([path, mtimeMs, size, ino]);
}
