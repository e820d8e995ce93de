import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";

/** Names a file of the embedded engine's inbox that holds the rows of an insert in place of its body. */
export const ROWS_FILE_HEADER = "x-runproof-rows-file";

/** Nothing that leads out of the inbox, and nothing the engine reads as a pattern. */
const ROWS_FILE_NAME = /^[0-9a-f-]{36}\.rows$/;

export const newRowsFileName = (): string => `${randomUUID()}.rows`;

export const isRowsFileName = (name: string): boolean => ROWS_FILE_NAME.test(name);

/**
 * Writes the pieces at the end of a file; `false` when not all of them were taken. A disk that fills up writes a part and
 * says so only here; rows must not end where the disk did.
 */
export async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<boolean> {
  const { bytesWritten } = await file.writev([...pieces]);
  return bytesWritten === pieces.reduce((bytes, piece) => bytes + piece.length, 0);
}

/** All of the pieces in one new file, or a rejection. Nothing is flushed: it lives for one insert. */
async function writeRowsFile(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    if (!(await writeAll(file, pieces))) throw new Error("The disk took only a part of the rows.");
  } finally {
    await file.close();
  }
}

/** Leaves the pieces in the inbox while the work runs. */
export async function withRowsFile(
  inboxDirectory: string,
  pieces: readonly Uint8Array[],
  work: (name: string) => Promise<void>,
): Promise<void> {
  const name = newRowsFileName();
  const path = join(inboxDirectory, name);
  try {
    await writeRowsFile(path, pieces);
    await work(name);
  } finally {
    await rm(path, { force: true });
  }
}
