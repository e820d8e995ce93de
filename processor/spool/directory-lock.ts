import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SpoolFs } from "./spool-fs.ts";

/** Another process, or another spool of this one, works in the directory. */
export class SpoolLockedError extends Error {
  readonly code = "SPOOL_LOCKED";
  constructor(directory: string, pid: number) {
    super(`The spool ${directory} is in use by process ${pid}. Stop it or give this one another directory.`);
    this.name = "SpoolLockedError";
  }
}

const LOCK_FILE = /^lock-(\d+)-(\d+)$/;

/**
 * Takes the directory or throws `SpoolLockedError`. Announce first, look second: of two that start at once each sees the
 * other, so both may be refused but never both admitted. Whoever is dead by process id and start time does not count.
 * Resolves to the release. Processes that do not see each other's ids (other container, other host) are not noticed.
 */
export async function lockDirectory(fs: SpoolFs, directory: string): Promise<() => Promise<void>> {
  const ownName = `lock-${process.pid}-${(await startTimeOf(process.pid)) ?? 0}`;
  const ownPath = join(directory, ownName);
  try {
    await (await fs.open(ownPath, "wx")).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw new SpoolLockedError(directory, process.pid);
    throw error;
  }
  const release = (): Promise<void> => fs.remove(ownPath).catch(() => {});
  try {
    await refuseWhenHeld(fs, directory, ownName);
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

/** Throws when a living process holds the directory; clears away what dead ones left. */
async function refuseWhenHeld(fs: SpoolFs, directory: string, ownName: string): Promise<void> {
  for (const name of await fs.list(directory)) {
    const match = LOCK_FILE.exec(name);
    if (match === null || name === ownName) continue;
    const pid = Number(match[1]);
    if (await isRunning(pid, match[2]!)) throw new SpoolLockedError(directory, pid);
    await fs.remove(join(directory, name)).catch(() => {});
  }
}

async function isRunning(pid: number, startTime: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, under another user.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const current = await startTimeOf(pid);
  return current === undefined || startTime === "0" || current === startTime;
}

/** Clock ticks from boot to start (Linux): tells a process from a later one with its id. Elsewhere `undefined`. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The command in parentheses may hold spaces; the start time is field 22, the 20th behind it.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
