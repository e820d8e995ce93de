import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { builtFixture } from "../testing/facts.ts";
import { contentOf } from "./content.ts";
import { readSavedSearch, removeSavedSearch, type SavedSearch, saveSearch, sourceSha256 } from "./saved-search.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-search-"));
  path = join(folder, ".a.minimise.json");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const fixture = builtFixture();
const source = sourceSha256(fixture);
const content = contentOf(fixture);
const search: SavedSearch = {
  format_version: 1,
  source_sha256: source,
  best: { ...content, interactions: [...content.interactions] },
  rejected: ["a".repeat(64)],
  tries: 7,
};

describe("a saved search", () => {
  test("is read as it was saved, and nothing is left beside it", async () => {
    await saveSearch(path, search);
    expect(await readSavedSearch(path, source)).toEqual({ type: "found", search });
    expect(await readdir(folder)).toEqual([".a.minimise.json"]);
    await removeSavedSearch(path);
    expect(await readSavedSearch(path, source)).toEqual({ type: "none" });
    await removeSavedSearch(path);
  });

  test("of a fixture that was edited since is refused", async () => {
    await saveSearch(path, search);
    const edited = { ...fixture, input: { ...fixture.input, input: { topic: "cats" } } };
    expect(await readSavedSearch(path, sourceSha256(edited))).toMatchObject({ type: "refused" });
  });

  test.each([
    ["no JSON", "{"],
    ["another form", JSON.stringify({ ...search, more: 1 })],
    ["a newer version", JSON.stringify({ ...search, format_version: 2 })],
    ["hashes that are none", JSON.stringify({ ...search, rejected: ["x"] })],
    ["depth without end", "[".repeat(100_000)],
  ])("with %s is refused", async (_, text) => {
    await writeFile(path, text);
    expect(await readSavedSearch(path, source)).toMatchObject({ type: "refused" });
  });

  test("behind a link is refused", async () => {
    await writeFile(join(folder, "elsewhere"), JSON.stringify(search));
    await symlink(join(folder, "elsewhere"), path);
    expect(await readSavedSearch(path, source)).toMatchObject({
      type: "refused",
      reason: expect.stringContaining("link"),
    });
  });
});
