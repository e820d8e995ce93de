import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeFixture } from "../fixture/fixture-store.ts";
import { builtFixture } from "../testing/facts.ts";
import { type FixtureOnDisk, readFixtureOnDisk, writeLifeCycle } from "./fixture-on-disk.ts";

let root: string;
let onDisk: FixtureOnDisk;
const path = (file = ""): string => join(root, "missing_report", file);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "runproof-on-disk-"));
  await writeFixture(root, builtFixture());
  onDisk = await read();
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function read(): Promise<FixtureOnDisk> {
  const reading = await readFixtureOnDisk(path());
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.value;
}

const retired = {
  state: "retired",
  certification: null,
  retirement: { reason: "gone", retired_at: "2026-01-01T00:00:00.000Z" },
} as const;

describe("writing a fixture's life cycle", () => {
  test("changes notes.json alone, and not what the fixture says", async () => {
    const before = await Promise.all(["input.json", "expected.json"].map((file) => readFile(path(file), "utf8")));
    expect(await writeLifeCycle(onDisk, retired)).toEqual({ ok: true });
    const now = await read();
    expect(now.fixture.notes).toEqual({ ...onDisk.fixture.notes, ...retired });
    expect(now.contentSha256).toBe(onDisk.contentSha256);
    expect(await Promise.all(["input.json", "expected.json"].map((file) => readFile(path(file), "utf8")))).toEqual(
      before,
    );
    expect(await readdir(path())).toHaveLength(4);
  });

  test("takes back what is not given any more", async () => {
    await writeLifeCycle(onDisk, retired);
    await writeLifeCycle(onDisk, { state: "candidate", certification: null });
    expect(await readFile(path("notes.json"), "utf8")).toBe(onDisk.texts["notes.json"]);
  });

  test("is refused when the fixture is not the one that was read", async () => {
    await writeFile(path("input.json"), onDisk.texts["input.json"].replace("otters", "cats"));
    expect(await writeLifeCycle(onDisk, retired)).toMatchObject({ ok: false });
    expect(await readFile(path("notes.json"), "utf8")).toBe(onDisk.texts["notes.json"]);
  });

  test("never leaves notes that could not be read back", async () => {
    const unreadable = { ...retired, retirement: { reason: "", retired_at: "soon" } };
    expect(await writeLifeCycle(onDisk, unreadable)).toMatchObject({ ok: false });
    expect((await read()).fixture.notes.state).toBe("candidate");
  });
});
