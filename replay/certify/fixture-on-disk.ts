import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Fixture, FIXTURE_FILES, type FixtureFile, type FixtureNotes } from "../fixture/fixture-format.ts";
import { readFixture } from "../fixture/fixture-store.ts";
import { type FixtureProblem, parseFixture } from "../fixture/parse-fixture.ts";
import { readFixtureFile } from "../fixture/read-fixture-file.ts";
import { fixtureContentSha256 } from "./content-hash.ts";

/** A fixture as it lies in its folder. */
export interface FixtureOnDisk {
  readonly path: string;
  readonly fixture: Fixture;
  readonly texts: Readonly<Record<FixtureFile, string>>;
  readonly contentSha256: string;
}

export type DiskReading =
  | { readonly ok: true; readonly value: FixtureOnDisk }
  | { readonly ok: false; readonly problems: readonly FixtureProblem[] };

/** Reads a fixture with its texts. Untrusted, as in `readFixture`. */
export async function readFixtureOnDisk(directory: string): Promise<DiskReading> {
  const folder = await readFixture(directory);
  if (!folder.ok) return folder;
  const path = resolve(directory);
  const texts: Partial<Record<FixtureFile, string>> = {};
  for (const file of FIXTURE_FILES) {
    const read = await readFixtureFile(join(path, file));
    if (!read.ok) return { ok: false, problems: [{ file, reason: read.reason }] };
    texts[file] = read.text;
  }
  const whole = texts as Record<FixtureFile, string>;
  // Parsed again: what was hashed is what is used, also when the files change under us.
  const reading = parseFixture(folder.fixture.id, whole);
  if (!reading.ok) return reading;
  const { fixture } = reading;
  return { ok: true, value: { path, fixture, texts: whole, contentSha256: fixtureContentSha256(whole) } };
}

/** The members of `notes.json` that are a fixture's life cycle. */
export type LifeCycleNotes = Pick<FixtureNotes, "state" | "certification"> & Partial<Pick<FixtureNotes, "retirement">>;

export type NotesWriting = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Writes a fixture's life cycle into its `notes.json`, whole or not at all, and touches nothing else of it. Refused when
 * the fixture is no longer the one that was read: what was proven is not what lies there.
 */
export async function writeLifeCycle(of: FixtureOnDisk, notes: LifeCycleNotes): Promise<NotesWriting> {
  const now = await readFixtureOnDisk(of.path);
  if (!now.ok || now.value.contentSha256 !== of.contentSha256) {
    return { ok: false, reason: `${of.path} was changed meanwhile` };
  }
  const { retirement: _, ...kept } = JSON.parse(now.value.texts["notes.json"]) as Record<string, unknown>;
  const text = `${JSON.stringify({ ...kept, ...notes }, null, 2)}\n`;
  const check = parseFixture(of.fixture.id, { ...now.value.texts, "notes.json": text });
  if (!check.ok) return { ok: false, reason: check.problems.map(({ reason }) => reason).join("; ") };
  const staged = join(of.path, `.notes.json.${randomUUID()}`);
  try {
    await writeFile(staged, text, { flag: "wx" });
    await rename(staged, join(of.path, "notes.json"));
    return { ok: true };
  } finally {
    await rm(staged, { force: true });
  }
}
