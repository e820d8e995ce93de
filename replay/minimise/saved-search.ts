import { rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { type JsonValue, MAX_JSON_DEPTH, parseJson } from "../../instrumentation/json/json.ts";
import { hashJson } from "../../instrumentation/json/canonical.ts";
import { cassetteSchema, payload } from "../cassette/cassette.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { readFixtureFile } from "../fixture/read-fixture-file.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const savedSearchSchema = z.strictObject({
  format_version: z.literal(1),
  /** Of everything in the source fixture that a replay turns on: progress on another fixture is worth nothing. */
  source_sha256: sha256,
  /** The smallest content so far that shows the failure. */
  best: z.strictObject({ input: payload, state: payload, interactions: cassetteSchema.shape.interactions }),
  /** Candidates that were tried and did not. */
  rejected: z.array(sha256).max(1_000_000),
  tries: z.int().min(0),
});

/** A fixture's content sits a few levels deeper here than in its own files. */
const MAX_DEPTH = MAX_JSON_DEPTH + 8;

/** A search that was stopped, as it is kept beside the output until it is done. */
export type SavedSearch = z.output<typeof savedSearchSchema>;

/** What a saved search belongs to: the contract and the whole world of the fixture. */
export const sourceSha256 = ({ input, expected, cassette }: Fixture): string =>
  hashJson([input, expected, cassette] as unknown as JsonValue);

/** Whole or not at all, so that a process killed while writing leaves the search of a moment ago. */
export async function saveSearch(path: string, search: SavedSearch): Promise<void> {
  const staged = `${path}.new`;
  await writeFile(staged, JSON.stringify(search));
  await rename(staged, path);
}

export type SavedSearchReading =
  | { readonly type: "found"; readonly search: SavedSearch }
  | { readonly type: "none" }
  | { readonly type: "refused"; readonly reason: string };

/** Reads a saved search of the fixture with this hash. What is no such file, or belongs to another one, is refused. */
export async function readSavedSearch(path: string, source: string): Promise<SavedSearchReading> {
  const read = await readFixtureFile(path);
  if (!read.ok) return read.reason === "does not exist" ? { type: "none" } : { type: "refused", reason: read.reason };
  const parsed = savedSearchSchema.safeParse(parseJson(read.text, MAX_DEPTH));
  if (!parsed.success) return { type: "refused", reason: "is not a saved search of this version" };
  if (parsed.data.source_sha256 !== source)
    return { type: "refused", reason: "belongs to another fixture or an edited one" };
  return { type: "found", search: parsed.data };
}

export const removeSavedSearch = (path: string): Promise<void> => rm(path, { force: true });
