import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileJournal } from "./file-journal.ts";
import { createFileSource } from "./file-source.ts";
import type { JournalEntry } from "./scope-journal.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "runproof-scope-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const path = () => join(folder, "state", "scope.json");
const source = (lockMillis = 1_000) => createFileSource({ path: path(), lockMillis });
const text = (over: object = {}) => JSON.stringify({ format_version: 1, scope: "staging", generation: 3, ...over });
const put = async (content: string) => {
  await mkdir(join(folder, "state"), { recursive: true });
  await writeFile(path(), content);
};

describe("a local file as the persisted scope", () => {
  it("is absent, then what was written, then absent again, under a new version each time", async () => {
    const file = source();
    const versions: string[] = [];
    let expected = ((await file.read(signal)) as { version: string }).version;
    for (const scope of ["staging", "production", null, "staging"]) {
      versions.push(expected);
      const writing = await file.write({ scope, expected }, signal);
      expect(writing.kind).toBe("written");
      expected = (writing as { version: string }).version;
      const reading = await file.read(signal);
      expect(reading).toEqual(
        scope === null ? { kind: "absent", version: expected } : { kind: "present", scope, version: expected },
      );
    }
    expect(new Set([...versions, expected]).size).toBe(5);
    expect(await readdir(join(folder, "state"))).toEqual(["scope.json"]);
    expect(JSON.parse(await readFile(path(), "utf8"))).toEqual({ format_version: 1, scope: "staging", generation: 4 });
  });

  it("is not overwritten when somebody has edited it, by hand too", async () => {
    await put(text());
    const { version } = (await source().read(signal)) as { version: string };
    await put(text({ scope: "theirs" }));
    expect(await source().write({ scope: "mine", expected: version }, signal)).toMatchObject({ kind: "conflict" });
    expect(await source().read(signal)).toMatchObject({ scope: "theirs" });
  });

  it("is written by one of many who follow from the same version", async () => {
    const { version: expected } = (await source().read(signal)) as { version: string };
    const names = Array.from({ length: 12 }, (_, index) => `scope-${index}`);
    const writings = await Promise.all(names.map((scope) => source(10_000).write({ scope, expected }, signal)));
    expect(writings.filter(({ kind }) => kind === "written")).toHaveLength(1);
    expect(writings.filter(({ kind }) => kind === "conflict")).toHaveLength(11);
    const winner = names[writings.findIndex(({ kind }) => kind === "written")];
    expect(await source().read(signal)).toMatchObject({ scope: winner });
  });

  it.each<[string, string]>([
    ["is empty", ""],
    ["is cut short", '{"format_version": 1, "sco'],
    ["is no object", '"staging"'],
    ["is of another format", text({ format_version: 2 })],
    ["has further keys", text({ admin: true })],
    ["names what is no scope", text({ scope: "../production" })],
    ["names a prototype's member with no text", text({ scope: { __proto__: null } })],
    ["counts in no number", text({ generation: -1 })],
    ["is too large", `${" ".repeat(5_000)}${text()}`],
    ["is not text", "\u0000\u0001\u0002"],
  ])("is unreadable, and is not overwritten, when it %s", async (_name, content) => {
    await put(content);
    expect(await source().read(signal)).toMatchObject({ kind: "unreadable" });
    const writing = await source().write({ scope: "mine", expected: "none" }, signal);
    expect(writing).toMatchObject({ kind: "conflict" });
    expect(await readFile(path(), "utf8")).toBe(content);
  });

  it.each(["link", "dangling link", "folder", "pipe"])("is unreadable when it is a %s", async (kind) => {
    await mkdir(join(folder, "state"));
    if (kind === "link") await writeFile(join(folder, "other.json"), text());
    if (kind.endsWith("link")) await symlink(join(folder, "other.json"), path());
    else if (kind === "folder") await mkdir(path());
    else spawnSync("mkfifo", [path()]);
    expect(await source().read(signal)).toMatchObject({ kind: "unreadable" });
  });

  it("takes over the lock of a process that is no more, and waits in vain for that of one that lives or is elsewhere", async () => {
    await mkdir(join(folder, "state"));
    const lock = (owner: object) => writeFile(`${path()}.lock`, JSON.stringify(owner));
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    await lock({ pid: gone, host: hostname() });
    expect(await source().write({ scope: "a", expected: "none" }, signal)).toMatchObject({ kind: "written" });
    for (const owner of [{ pid: process.pid, host: hostname() }, { pid: gone, host: "elsewhere" }, {}]) {
      await lock(owner);
      const { version: expected } = (await source().read(signal)) as { version: string };
      expect(await source(50).write({ scope: "b", expected }, signal)).toMatchObject({ kind: "conflict" });
    }
    expect(await source().read(signal)).toMatchObject({ scope: "a" });
  });

  it("says that it failed where nothing can be written", async () => {
    await writeFile(join(folder, "state"), "a file in place of the folder");
    expect(await source().write({ scope: "a", expected: "none" }, signal)).toMatchObject({ kind: "failed" });
  });
});

describe("a journal in a file", () => {
  const entry = (id: string): JournalEntry => ({ kind: "outcome", id, at: 1, result: "done", version: "1" });
  const journalPath = () => join(folder, "deep", "scope-journal.jsonl");

  it("has every entry in order, of several writers, also after a line that a crash cut short", async () => {
    const journals = [createFileJournal(journalPath()), createFileJournal(journalPath())];
    expect(await journals[0]?.entries()).toEqual([]);
    for (const [index, journal] of journals.entries()) await journal.append(entry(`e-${index}`));
    await writeFile(journalPath(), `${await readFile(journalPath(), "utf8")}{"kind":"outco`);
    await journals[0]?.append(entry("e-2"));
    expect(await journals[1]?.entries()).toEqual([entry("e-0"), entry("e-1"), entry("e-2")]);
  });

  it("is not believed when somebody else wrote in it, or when it is a link", async () => {
    const journal = createFileJournal(journalPath());
    await journal.append(entry("e-0"));
    await writeFile(journalPath(), '{"kind":"outcome","id":"x"}\n');
    await expect(journal.entries()).rejects.toThrow("line 1");
    await rm(journalPath());
    await symlink(join(folder, "elsewhere"), journalPath());
    await expect(journal.append(entry("e-1"))).rejects.toThrow("ELOOP");
    await expect(journal.entries()).rejects.toThrow("ELOOP");
  });
});
