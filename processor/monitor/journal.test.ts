import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeSpoolFs, type SpoolFs } from "../spool/spool-fs.ts";
import { createJournal } from "./journal.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-journal-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const journalOf = (fs: SpoolFs = nodeSpoolFs) => createJournal({ directory, name: "j", fs });
const path = () => join(directory, "j");
async function reopened(): Promise<readonly unknown[]> {
  const journal = journalOf();
  const entries = await journal.open();
  await journal.close();
  return entries;
}

describe("a journal", () => {
  it("gives back what was written, in order, whatever is in it", async () => {
    const journal = journalOf();
    expect(await journal.open()).toEqual([]);
    const entries = [{ text: "a\nb\r\u2028\0" }, { deep: { list: [1, null, "\ud800"] } }, {}];
    await Promise.all(entries.map((entry) => journal.append([entry])));
    await journal.close();
    expect(await reopened()).toEqual(entries);
  });

  it("passes over a torn end, and what comes next begins on a line of its own", async () => {
    const journal = journalOf();
    await journal.open();
    await journal.append([{ n: 1 }, { n: 2 }]);
    await journal.close();
    const whole = await readFile(path());
    for (let length = whole.length - 1; length > 0; length--) {
      await writeFile(path(), whole.subarray(0, length));
      const torn = journalOf();
      const found = await torn.open();
      await torn.append([{ n: 3 }]);
      await torn.close();
      expect(found).toEqual(length < whole.length / 2 ? [] : [{ n: 1 }]);
      expect(await reopened()).toEqual([...found, { n: 3 }]);
    }
  });

  it("passes over spoilt lines and keeps the others", async () => {
    const journal = journalOf();
    await journal.open();
    await journal.append([{ n: 1 }, { n: 2 }, { n: 3 }]);
    await journal.close();
    const text = await readFile(path(), "utf8");
    await writeFile(path(), text.replace('"n":2', '"n":7'));
    await appendFile(path(), 'garbage\n00000000 {"n":9}\n\n');
    expect(await reopened()).toEqual([{ n: 1 }, { n: 3 }]);
  });

  it("goes on after a disk that took a part of an entry and then no more", async () => {
    let failing = false;
    const fs: SpoolFs = {
      ...nodeSpoolFs,
      async open(name, flags) {
        const file = await nodeSpoolFs.open(name, flags);
        return {
          ...file,
          async writev(buffers, position) {
            if (!failing) return file.writev(buffers, position);
            await file.writev([buffers[0]!.subarray(0, 9)], position);
            throw Object.assign(new Error("full"), { code: "ENOSPC" });
          },
        };
      },
    };
    const journal = journalOf(fs);
    await journal.open();
    await journal.append([{ n: 1 }]);
    failing = true;
    await expect(journal.append([{ n: 2, long: "x".repeat(100) }])).rejects.toThrow("full");
    failing = false;
    await journal.append([{ n: 3 }]);
    await journal.close();
    expect(await reopened()).toEqual([{ n: 1 }, { n: 3 }]);
  });

  it("is put in place whole by a rewrite, and written on", async () => {
    const journal = journalOf();
    await journal.open();
    await journal.append([{ n: 1 }, { n: 2 }]);
    await journal.rewrite([{ n: 2 }]);
    await journal.append([{ n: 3 }]);
    await journal.close();
    expect(await reopened()).toEqual([{ n: 2 }, { n: 3 }]);
  });
});
