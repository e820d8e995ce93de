import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findWalls, type WallHost } from "./walls.ts";

const scratch = mkdtempSync(join(tmpdir(), "runproof-walls-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const bwrap = join(scratch, "bwrap");
writeFileSync(bwrap, "");
chmodSync(bwrap, 0o755);

const host: WallHost = { platform: "linux", arch: "x64", searchPath: scratch, hasForeignFunctions: true };
const kinds = (change: Partial<WallHost>) => findWalls({ ...host, ...change }).walls.map((wall) => wall.kind);

test("bubblewrap comes first, with the filter that tells within it", () => {
  expect(kinds({})).toEqual(["bubblewrap+launcher", "launcher"]);
  expect(findWalls(host).walls[0]?.bwrap).toBe(bwrap);
});

test("a runtime without system calls has bubblewrap, and one without bubblewrap the launcher", () => {
  expect(kinds({ hasForeignFunctions: false })).toEqual(["bubblewrap"]);
  expect(kinds({ searchPath: "" })).toEqual(["launcher"]);
  // A name that is not absolute would be looked for in the folder somebody stands in.
  expect(kinds({ searchPath: "." })).toEqual(["launcher"]);
});

test("without both, and on other systems, there is no wall, with the reasons", () => {
  const nothing = findWalls({ ...host, searchPath: "", hasForeignFunctions: false });
  expect(nothing.walls).toEqual([]);
  expect(nothing.missing.join()).toMatch(/bwrap.*node:ffi/);
  expect(findWalls({ ...host, platform: "darwin" })).toMatchObject({
    walls: [],
    missing: [expect.stringContaining("darwin")],
  });
  expect(findWalls({ ...host, arch: "riscv64" }).walls).toEqual([]);
});
