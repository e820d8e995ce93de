import { open, readFile, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { realNow, realRandomUUID } from "../real-sources.ts";

/** Somebody else has it, or it cannot be said that nobody has. */
export class FileLockError extends Error {
  readonly code = "RUNPROOF_SCOPE_LOCKED";
}

/**
 * Does `work` while no other process that asks for the same lock does. The lock of a process of this machine that is no
 * longer alive is taken over; any other one is waited for, so long, and then it is an error that names the file.
 */
export async function withFileLock<Result>(
  path: string,
  waitMillis: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const owner = JSON.stringify({ pid: process.pid, host: hostname(), id: realRandomUUID() });
  const until = realNow() + waitMillis;
  for (;;) {
    if (await created(path, owner)) break;
    await removeIfDead(path);
    if (await created(path, owner)) break;
    if (realNow() >= until)
      throw new FileLockError(`${path} is held by ${await ownerOf(path)}; remove it if that is no more`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
  }
  try {
    return await work();
  } finally {
    await unlink(path).catch(() => {});
  }
}

const PAUSE_MILLIS = 20;
/** Whoever takes over a dead process's lock holds this one meanwhile: two at once could remove each other's new one. */
const TAKE_OVER = ".takeover";

async function created(path: string, owner: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(owner);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function removeIfDead(path: string): Promise<void> {
  if (!(await isDead(path)) || !(await created(path + TAKE_OVER, String(process.pid)))) return;
  try {
    // Again: only now can nobody else be doing the same.
    if (await isDead(path)) await unlink(path);
  } catch {
    // Gone already.
  } finally {
    await unlink(path + TAKE_OVER).catch(() => {});
  }
}

async function isDead(path: string): Promise<boolean> {
  try {
    const { pid, host } = JSON.parse(await ownerOf(path)) as { pid?: unknown; host?: unknown };
    if (host !== hostname() || typeof pid !== "number" || !Number.isInteger(pid) || pid <= 0) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Not written yet, not ours to ask about, or not there: only "no such process" says so.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

const ownerOf = async (path: string): Promise<string> => (await readFile(path, "utf8").catch(() => "")).slice(0, 500);
