import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { z } from "zod";
import { isScopeName, SCOPE_NAME_RULE } from "./scope-name.ts";
import type { ScopeReading } from "./scope-source.ts";

/** Far more than the file can have. */
export const MAX_SCOPE_FILE_BYTES = 4_096;

const documentSchema = z.strictObject({
  format_version: z.literal(1),
  /** `null`: taken away; the generation goes on. */
  scope: z.string().refine(isScopeName, SCOPE_NAME_RULE).nullable(),
  /** Rises with each write: the same text twice is still two writes. */
  generation: z.int().min(0),
});

type ScopeDocument = z.output<typeof documentSchema>;

/** What the file says, and what its next version follows from. */
export interface ScopeFileReading {
  readonly reading: ScopeReading;
  readonly generation: number;
}

/** Reads the bytes of a regular file that is no link and not too large. Never rejects. */
export async function readScopeFile(path: string): Promise<ScopeFileReading> {
  try {
    const bytes = await boundedBytes(path);
    return bytes === undefined ? { reading: { kind: "absent", version: "none" }, generation: 0 } : readingOf(bytes);
  } catch (error) {
    return unreadable(problemOf(error));
  }
}

/** The same at once, for what is set up before anything can wait. */
export function readScopeFileSync(path: string): ScopeReading {
  try {
    const file = openSync(path, FLAGS);
    try {
      if (!fstatSync(file).isFile()) return unreadable("it is not a regular file").reading;
      const buffer = Buffer.alloc(MAX_SCOPE_FILE_BYTES + 1);
      const length = readSync(file, buffer, 0, buffer.length, 0);
      if (length > MAX_SCOPE_FILE_BYTES) return unreadable(TOO_LARGE).reading;
      return readingOf(buffer.subarray(0, length)).reading;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return isMissing(error) ? { kind: "absent", version: "none" } : unreadable(problemOf(error)).reading;
  }
}

// O_NONBLOCK: opening a pipe would wait for a writer for ever.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const TOO_LARGE = `it has more than ${MAX_SCOPE_FILE_BYTES} bytes`;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

function problemOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ELOOP" ? "it is a symbolic link" : message;
}

/** `undefined` when there is no file. */
async function boundedBytes(path: string): Promise<Buffer | undefined> {
  const file = await open(path, FLAGS).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) throw new Error("it is not a regular file");
    const buffer = Buffer.alloc(MAX_SCOPE_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > MAX_SCOPE_FILE_BYTES) throw new Error(TOO_LARGE);
      if (bytesRead === 0) return buffer.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}

function readingOf(bytes: Buffer): ScopeFileReading {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return unreadable("it is not JSON");
  }
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) {
    return unreadable(
      parsed.error.issues.map(({ path, message }) => `${path.join(".") || "file"}: ${message}`).join("; "),
    );
  }
  const { scope, generation } = parsed.data;
  // The content too: a person who edits the file does not count.
  const version = `${generation}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  return { reading: scope === null ? { kind: "absent", version } : { kind: "present", scope, version }, generation };
}

const unreadable = (problem: string): ScopeFileReading => ({ reading: { kind: "unreadable", problem }, generation: 0 });

/** The text of a new version. */
export function scopeFileText(scope: string | null, generation: number): string {
  const document: ScopeDocument = { format_version: 1, scope, generation };
  return `${JSON.stringify(document, null, 2)}\n`;
}
