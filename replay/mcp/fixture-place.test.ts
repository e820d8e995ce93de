import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixturePlace, fixturesRoot } from "./fixture-place.ts";

let folder: string;
let root: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "runproof-mcp-place-")));
  root = join(folder, "fixtures");
  await mkdir(join(root, "real"), { recursive: true });
  await writeFile(join(root, "real", "notes.json"), "{}");
  await mkdir(join(folder, "secret"));
  await writeFile(join(folder, "secret", "notes.json"), "{}");
  await symlink(join(folder, "secret"), join(root, "linked"));
  await mkdir(join(root, "linked_notes"));
  await symlink(join(folder, "secret", "notes.json"), join(root, "linked_notes", "notes.json"));
  await mkdir(join(root, "empty"));
  await writeFile(join(root, "file"), "");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("a fixture of the folder is found by its id", async () => {
  expect(await fixturePlace(root, "real")).toEqual({ ok: true, path: join(root, "real") });
});

test.each([
  ["../secret", /a-z, 0-9/],
  ["..", /a-z, 0-9/],
  [".", /a-z, 0-9/],
  ["real/../../secret", /a-z, 0-9/],
  ["/etc", /a-z, 0-9/],
  ["real\0", /a-z, 0-9/],
  ["con", /reserved/],
  ["constructor", /reserved/],
  ["linked", /symbolic link/],
  ["linked_notes", /no notes.json/],
  ["empty", /no notes.json/],
  ["file", /not a folder/],
  ["missing", /no fixture missing/],
])("%j names nothing", async (id, reason) => {
  const place = await fixturePlace(root, id);
  expect(place).toEqual({ ok: false, reason: expect.stringMatching(reason) });
});

test("the folder is the configured one", async () => {
  await mkdir(join(folder, ".git"));
  await writeFile(join(folder, "runproof.config.mjs"), 'export default { fixturesDirectory: "fixtures" };');
  await mkdir(join(folder, "deeper"));
  expect(await fixturesRoot(join(folder, "deeper"))).toBe(root);
});
