import type { Dirent } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PathObservation } from "../contract/evidence.ts";
import { abortable, pathOfRef, probeSignal, type ProbeContext } from "./probe-context.ts";

const MAX_ENTRIES = 10_000;

/**
 * Looks whether a path exists and how much it holds: a file's size, or the sum of the regular files below a folder
 * (of the first 10,000 entries; links are not followed). `bytes` is `null` when it could not be measured.
 */
export async function probePath(path: string, context: ProbeContext): Promise<PathObservation> {
  const signal = probeSignal(context);
  let exists = false;
  try {
    const absolute = pathOfRef(path, context.cwd);
    const found = await abortable(stat(absolute), signal);
    exists = true;
    return { path, exists, bytes: found.isDirectory() ? await bytesBelow(absolute, signal) : found.size };
  } catch {
    return { path, exists, bytes: null };
  }
}

async function bytesBelow(folder: string, signal: AbortSignal): Promise<number> {
  const folders = [folder];
  let bytes = 0;
  let entries = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for await (const entry of await opendir(next)) {
      signal.throwIfAborted();
      if (++entries > MAX_ENTRIES) return bytes;
      if (entry.isDirectory()) folders.push(join(next, entry.name));
      else bytes += await fileBytes(next, entry);
    }
  }
  return bytes;
}

const fileBytes = async (folder: string, entry: Dirent): Promise<number> =>
  entry.isFile() ? (await stat(join(folder, entry.name))).size : 0;
