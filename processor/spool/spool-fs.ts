import { mkdir, open, readdir, rename, unlink } from "node:fs/promises";

/**
 * The few calls the spool makes, so that tests can count, fail and delay every one of them.
 * Each rejects with the system's error, `code` included.
 */
export interface SpoolFs {
  /** `wx`: a new file, fails when it exists. `r+`: an old one, to read and write. */
  open(path: string, flags: "wx" | "r" | "r+"): Promise<SpoolFile>;
  /** Names within the directory, in no order. */
  list(directory: string): Promise<readonly string[]>;
  /** With its parents; fine when it exists. */
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes created, renamed and removed names of the directory durable. */
  syncDirectory(path: string): Promise<void>;
}

export interface SpoolFile {
  /** Resolves to the bytes written, perhaps fewer than given. */
  writev(buffers: readonly Uint8Array[], position: number): Promise<number>;
  /** Resolves to the bytes read, perhaps fewer than the target holds; 0 at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Resolves when the bytes, and the length needed to read them, are durable (`fdatasync`). */
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Bodies of traces: nobody else's business. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export const nodeSpoolFs: SpoolFs = {
  async open(path, flags) {
    const handle = await open(path, flags, FILE_MODE);
    return {
      writev: async (buffers, position) => (await handle.writev([...buffers], position)).bytesWritten,
      read: async (target, position) => (await handle.read(target, 0, target.length, position)).bytesRead,
      datasync: () => handle.datasync(),
      truncate: (length) => handle.truncate(length),
      size: async () => (await handle.stat()).size,
      close: () => handle.close(),
    };
  },
  list: (directory) => readdir(directory),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => unlink(path),
  async syncDirectory(path) {
    // Windows opens no directories; its file system writes names in order.
    if (process.platform === "win32") return;
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Writes all of the buffers or rejects. */
export async function writeFully(file: SpoolFile, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let rest = buffers.filter((buffer) => buffer.length > 0);
  let at = position;
  while (rest.length > 0) {
    const written = await file.writev(rest, at);
    // A full disk may take a part first and say so only on the next call.
    if (written <= 0) throw new Error("The disk took no bytes.");
    at += written;
    rest = withoutFirst(rest, written);
  }
}

function withoutFirst(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  let index = 0;
  for (; index < buffers.length; index++) {
    const length = buffers[index]!.length;
    if (left < length) break;
    left -= length;
  }
  const rest = buffers.slice(index);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}

/** Reads from `position`; what comes back is shorter than `bytes` only when the file is. */
export const readFully = (file: SpoolFile, position: number, bytes: number): Promise<Uint8Array> =>
  readInto(file, position, Buffer.allocUnsafeSlow(bytes));

/** The same into memory of the caller's. */
export async function readInto(file: SpoolFile, position: number, target: Buffer): Promise<Uint8Array> {
  const bytes = target.length;
  let filled = 0;
  while (filled < bytes) {
    const read = await file.read(target.subarray(filled), position + filled);
    if (read === 0) break;
    filled += read;
  }
  return target.subarray(0, filled);
}

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException | null)?.code === "ENOENT";
