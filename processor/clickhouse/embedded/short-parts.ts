import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Runs a statement and gives its rows in JSONEachRow. */
export type EngineQuery = (sql: string) => Promise<string>;

interface Part {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** Files of a part that its checksums, and so its size, do not count. */
const UNCOUNTED: ReadonlySet<string> = new Set([
  "checksums.txt",
  "columns.txt",
  "columns_substreams.txt",
  "default_compression_codec.txt",
  "metadata_version.txt",
  "txn_version.txt",
]);

/** Which parts to look at. */
export interface NewParts {
  readonly withinSeconds: number;
  /** Paths that were looked at; a published part does not change. Kept up to date. */
  readonly seen: Set<string>;
}

/**
 * Names of the active parts whose files are shorter than the engine believes, `table/part`. The engine meets them only
 * when somebody reads, and then fails the read of the whole table; at its next start it takes their sources instead.
 *
 * `only`: new parts that came of merges, each once; only those have sources. Default: all parts.
 */
export async function shortParts(query: EngineQuery, only?: NewParts): Promise<readonly string[]> {
  const parts = await activeParts(query, only);
  const suspects = await shortOnes(parts.filter(({ path }) => only?.seen.has(path) !== true));
  if (only !== undefined) {
    only.seen.clear();
    for (const { path } of parts) only.seen.add(path);
  }
  if (suspects.length === 0) return [];
  // A part whose files are being removed is short, too, but not active any more.
  const still = new Set((await activeParts(query, only)).map(({ path }) => path));
  return (await shortOnes(suspects.filter(({ path }) => still.has(path)))).map(({ name }) => name);
}

async function activeParts(query: EngineQuery, only: NewParts | undefined): Promise<Part[]> {
  const fresh = only === undefined ? "" : ` AND level > 0 AND modification_time >= now() - ${only.withinSeconds}`;
  const text = await query(
    `SELECT concat(table, '/', name) AS name, path, toFloat64(bytes_on_disk) AS bytes FROM system.parts WHERE active${fresh}`,
  );
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Part]));
}

async function shortOnes(parts: readonly Part[]): Promise<Part[]> {
  const short: Part[] = [];
  for (const part of parts) if (await isShort(part)) short.push(part);
  return short;
}

async function isShort({ path, bytes }: Part): Promise<boolean> {
  try {
    return (await countedBytes(path)) < bytes;
  } catch (error) {
    // Merged away and removed since.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function countedBytes(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += await countedBytes(path);
    else if (!UNCOUNTED.has(entry.name)) bytes += (await stat(path)).size;
  }
  return bytes;
}
