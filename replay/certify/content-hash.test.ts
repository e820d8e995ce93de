import { describe, expect, test } from "vitest";
import { fixtureTexts } from "../fixture/fixture-text.ts";
import { builtFixture } from "../testing/facts.ts";
import { fixtureContentSha256 } from "./content-hash.ts";

const texts = fixtureTexts(builtFixture());
const hash = fixtureContentSha256(texts);

/** One file of the fixture with a piece of its text replaced. */
function edited(file: keyof typeof texts, from: string, to: string): string {
  expect(texts[file]).toContain(from);
  return fixtureContentSha256({ ...texts, [file]: texts[file].replace(from, to) });
}

describe("the content hash of a fixture", () => {
  test.each([
    ["input.json", '"otters"', '"cats"'],
    ["expected.json", '"passed"', '"failed"'],
    ["tool_cassettes.json", '"hits": 3', '"hits": 4'],
    ["notes.json", '"missing_artifact_ref"', '"empty_output"'],
    ["notes.json", '"status": "failed"', '"status": "blocked"'],
  ] as const)("changes with %s: %s", (file, from, to) => {
    expect(edited(file, from, to)).not.toBe(hash);
  });

  test("stays the same whatever its life cycle and its formatting", () => {
    expect(edited("notes.json", '"state": "candidate"', '"state": "retired"')).toBe(hash);
    expect(edited("notes.json", '"certification": null', '"certification": {"a": 1}')).toBe(hash);
    expect(edited("input.json", "{\n", "{ \n\n")).toBe(hash);
  });
});
