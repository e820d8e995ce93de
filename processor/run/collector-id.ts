import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FILE = "collector-id";
const ID = /^[0-9a-f-]{36}$/;

/** The name of the collector that owns this folder and the spool in it, made when there is none yet. */
export async function readCollectorId(directory: string): Promise<string> {
  const file = join(directory, FILE);
  const text = (await readFile(file, "utf8").catch(() => "")).trim();
  if (ID.test(text)) return text;
  const id = randomUUID();
  // Through a rename: a file cut short by a crash would be no name, and what the old one left would be nobody's.
  await writeFile(`${file}.tmp`, `${id}\n`);
  await rename(`${file}.tmp`, file);
  return id;
}
