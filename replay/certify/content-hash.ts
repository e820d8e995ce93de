import { hashJson } from "../../instrumentation/json/canonical.ts";
import { isJsonObject, type JsonValue } from "../../instrumentation/json/json.ts";
import { FIXTURE_FILES, type FixtureFile } from "../fixture/fixture-format.ts";

/** What changes in the life of a fixture without making it another fixture. */
const LIFE_CYCLE = new Set(["state", "certification", "retirement"]);

/**
 * SHA-256 of what a fixture says, from the text of its files: all of it but its life cycle, whatever the formatting. From
 * the text and not from what was parsed, so that a newer runproof with further defaults finds the same.
 */
export function fixtureContentSha256(texts: Readonly<Record<FixtureFile, string>>): string {
  return hashJson(
    FIXTURE_FILES.map((file): JsonValue => {
      const json = JSON.parse(texts[file]) as JsonValue;
      return file === "notes.json" && isJsonObject(json)
        ? Object.fromEntries(Object.entries(json).filter(([key]) => !LIFE_CYCLE.has(key)))
        : json;
    }),
  );
}
