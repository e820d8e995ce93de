import { mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { realRandomUUID } from "../real-sources.ts";
import { FileLockError, withFileLock } from "./file-lock.ts";
import { readScopeFile, scopeFileText } from "./scope-file.ts";
import { isScopeName, SCOPE_NAME_RULE } from "./scope-name.ts";
import type { ScopeWrite, ScopeWriting, WritableScopeSource } from "./scope-source.ts";

export interface FileSourceOptions {
  /** The JSON file. Its folder is made when something is written. */
  readonly path: string;
  /** How long a write waits for another process, milliseconds. Default 1,000. */
  readonly lockMillis?: number;
}

/**
 * The local persisted scope: a small JSON file, replaced as a whole and synced to the disk, and only if nobody has changed
 * it. A link, a file that is too large or says something else is unreadable, never absent.
 */
export function createFileSource({ path, lockMillis = 1_000 }: FileSourceOptions): WritableScopeSource {
  return {
    read: async () => (await readScopeFile(path)).reading,
    async write(write) {
      if (write.scope !== null && !isScopeName(write.scope)) return { kind: "conflict", problem: SCOPE_NAME_RULE };
      try {
        await mkdir(dirname(path), { recursive: true });
        return await withFileLock(`${path}.lock`, lockMillis, () => replaced(path, write));
      } catch (error) {
        const { message } = error as Error;
        return { kind: error instanceof FileLockError ? "conflict" : "failed", problem: message };
      }
    },
  };
}

async function replaced(path: string, { scope, expected }: ScopeWrite): Promise<ScopeWriting> {
  const { reading, generation } = await readScopeFile(path);
  if (reading.kind === "unreadable") return { kind: "conflict", problem: `${path}: ${reading.problem}` };
  if (reading.version !== expected) return { kind: "conflict", problem: `${path} was changed by somebody else` };
  const temporary = `${path}.${realRandomUUID()}.tmp`;
  try {
    await writeSynced(temporary, scopeFileText(scope, generation + 1));
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(path));
  const written = await readScopeFile(path);
  if (written.reading.kind === "unreadable") return { kind: "failed", problem: written.reading.problem };
  return { kind: "written", version: written.reading.version };
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The new name must survive too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
