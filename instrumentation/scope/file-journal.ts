import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { journalEntrySchema, type JournalEntry, type ScopeJournal } from "./scope-journal.ts";

/** A journal beyond this is not read: somebody else wrote it. */
const MAX_BYTES = 16 * 1_048_576;

/** One JSON line an entry, appended and synced to the disk before the entry counts. Several processes may share one file. */
export function createFileJournal(path: string): ScopeJournal {
  return {
    async append(entry) {
      await mkdir(dirname(path), { recursive: true });
      const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
      const file = await open(path, flags, 0o600);
      try {
        const { size } = await file.stat();
        const last = size === 0 ? "\n" : await lastCharacter(file, size);
        // A line that a crash cut short stays by itself.
        await file.appendFile(`${last === "\n" ? "" : "\n"}${JSON.stringify(entry)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async entries() {
      const text = await boundedText(path);
      return text.split("\n").flatMap((line, index, lines) => entryOf(line, index, lines.length));
    },
  };
}

async function lastCharacter(file: Awaited<ReturnType<typeof open>>, size: number): Promise<string> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString("latin1");
}

async function boundedText(path: string): Promise<string> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return "";
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
    if (stat.size > MAX_BYTES) throw new Error(`${path} has more than ${MAX_BYTES} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** An entry that was cut short was never acknowledged, so nothing was written for it. Anything else is not ours. */
function entryOf(line: string, index: number, count: number): JournalEntry[] {
  if (line.trim() === "") return [];
  try {
    return [journalEntrySchema.parse(JSON.parse(line))];
  } catch (cause) {
    if (isCutShort(line)) return [];
    throw new Error(`line ${index + 1} of ${count} is no entry of this journal`, { cause });
  }
}

const isCutShort = (line: string): boolean => {
  try {
    JSON.parse(line);
    return false;
  } catch {
    return line.startsWith("{") && !line.endsWith("}");
  }
};
