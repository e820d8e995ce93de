import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes the spool directory (mode 0700) or throws why it cannot be trusted: in a shared temporary folder somebody else
 * may have put a link or an open folder under the expected name.
 */
export function openSpoolDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stat = lstatSync(directory);
  if (!stat.isDirectory()) throw new Error(`${directory} is not a directory`);
  if (process.platform !== "win32" && (stat.mode & 0o002) !== 0)
    throw new Error(`${directory} is writable by everybody`);
}

/** Bytes of all files in the directory. */
export function spoolDirectoryBytes(directory: string): number {
  let bytes = 0;
  for (const name of readdirSync(directory)) {
    bytes += lstatSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
