import { join } from "node:path";
import { crc32 } from "node:zlib";
import { isMissing, nodeSpoolFs, readFully, type SpoolFile, type SpoolFs, writeFully } from "../spool/spool-fs.ts";

/** A file of JSON lines that survives what a process does not. One writer. */
export interface Journal {
  /** Opens it, made when missing; resolves to the entries that were written whole, in order. */
  open(): Promise<readonly unknown[]>;
  /** Resolves when the entries are durable. After a rejection none of them is, and the journal can go on. */
  append(entries: readonly object[]): Promise<void>;
  /** Puts these in place of all entries, at once or not at all. */
  rewrite(entries: readonly object[]): Promise<void>;
  /** Bytes on disk. */
  readonly bytes: number;
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly directory: string;
  readonly name: string;
  /** Default: Node's. */
  readonly fs?: SpoolFs;
}

/** Every line has its checksum: what a crash tore or a disk spoilt is passed over, and the lines around it hold. */
export function createJournal({ directory, name, fs = nodeSpoolFs }: JournalOptions): Journal {
  const path = join(directory, name);
  let file: SpoolFile | undefined;
  let length = 0;
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  };

  const opened = (): SpoolFile => {
    if (file === undefined) throw new Error(`the journal ${name} is not open`);
    return file;
  };

  async function open(): Promise<readonly unknown[]> {
    await fs.makeDirectory(directory);
    file = await fs.open(path, "r+").catch(async (error: unknown) => {
      if (!isMissing(error)) throw error;
      await (await fs.open(path, "wx")).close();
      await fs.syncDirectory(directory);
      return fs.open(path, "r+");
    });
    const bytes = Buffer.from(await readFully(file, 0, await file.size()));
    // A torn last line is cut off: what comes next must begin on a line of its own.
    length = bytes.lastIndexOf(0x0a) + 1;
    if (length < bytes.length) await file.truncate(length);
    return entriesFrom(bytes.toString("utf8", 0, length));
  }

  async function append(entries: readonly object[]): Promise<void> {
    const bytes = linesOf(entries);
    try {
      await writeFully(opened(), [bytes], length);
      await opened().datasync();
      length += bytes.length;
    } catch (error) {
      // The next one is written over it; a longer rest would be a torn line behind it, which its checksum gives away.
      await opened()
        .truncate(length)
        .catch(() => {});
      throw error;
    }
  }

  async function rewrite(entries: readonly object[]): Promise<void> {
    const bytes = linesOf(entries);
    const fresh = `${path}.new`;
    await fs.remove(fresh).catch(() => {});
    const next = await fs.open(fresh, "wx");
    try {
      await writeFully(next, [bytes], 0);
      await next.datasync();
      await fs.rename(fresh, path);
      await fs.syncDirectory(directory);
    } catch (error) {
      await next.close();
      throw error;
    }
    await file?.close();
    file = next;
    length = bytes.length;
  }

  return {
    open: () => inTurn(open),
    append: (entries) => inTurn(() => append(entries)),
    rewrite: (entries) => inTurn(() => rewrite(entries)),
    get bytes() {
      return length;
    },
    close: () =>
      inTurn(async () => {
        await file?.close();
        file = undefined;
      }),
  };
}

const linesOf = (entries: readonly object[]): Buffer =>
  Buffer.from(
    entries
      .map((entry) => {
        const text = JSON.stringify(entry);
        return `${checksum(text)} ${text}\n`;
      })
      .join(""),
  );

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, "0");

function entriesFrom(text: string): unknown[] {
  return text.split("\n").flatMap((line) => {
    const body = line.slice(9);
    return line.length > 9 && line.slice(0, 8) === checksum(body) ? [JSON.parse(body) as unknown] : [];
  });
}
