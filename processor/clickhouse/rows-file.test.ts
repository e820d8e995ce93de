import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRowsFileName, newRowsFileName, withRowsFile } from "./rows-file.ts";

let inbox: string;
beforeEach(async () => {
  inbox = await mkdtemp(join(tmpdir(), "runproof-inbox-"));
});
afterEach(() => rm(inbox, { recursive: true }));

describe("a file of rows", () => {
  it("holds the pieces while the work runs, and is gone afterwards, also when the work fails", async () => {
    const pieces = Array.from({ length: 3_000 }, (_, index) => Buffer.from(`${index},`));
    await withRowsFile(inbox, pieces, async (name) => {
      expect(isRowsFileName(name)).toBe(true);
      expect(await readFile(join(inbox, name))).toEqual(Buffer.concat(pieces));
    });
    const failing = withRowsFile(inbox, pieces, () => Promise.reject(new Error("refused")));
    await expect(failing).rejects.toThrow("refused");
    expect(await readdir(inbox)).toEqual([]);
  });

  it("has a name that leads nowhere else", () => {
    const names = ["../secrets.rows", `x/${newRowsFileName()}`, "*.rows", "", `${newRowsFileName()}\n`, "a.rows"];
    expect(names.filter(isRowsFileName)).toEqual([]);
  });
});
