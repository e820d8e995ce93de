import { appendFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Example, Scenario, Stage } from "../scenarios/scenario.ts";
import { createMender, GOOD_WAYS, type MendWays } from "./mender.ts";
import { createRepository } from "./repository.ts";
import { mendScript } from "./script.ts";

const ISSUE = 'slug("Spring  Tides!") must be "spring-tides": lower case, one dash between words, nothing else.';

const scenario = (
  name: string,
  ways: Partial<MendWays>,
  { about, expected = [] }: Pick<Scenario, "about"> & Partial<Pick<Scenario, "expected">>,
): Scenario => ({
  name,
  about,
  expected,
  play: async ({ model, ...place }: Stage) => {
    await createRepository(place.folder);
    return await createMender({ ...GOOD_WAYS, ...ways })({ issue: ISSUE, model }, place);
  },
});

/** Ends every module with the same line, "for consistency", and does not ask whose they are. */
async function addHeaders(folder: string): Promise<void> {
  for (const path of await readdir(folder, { recursive: true })) {
    if (path.endsWith(".mjs") && !path.startsWith(".git")) await appendFile(join(folder, path), "// formatted\n");
  }
}

export const codingExample: Example = {
  agent: "coding-agent",
  script: mendScript,
  scenarios: [
    scenario("good", {}, { about: "the first try fails its tests, the second passes" }),
    scenario(
      "good_with_changelog",
      { finish: (folder) => appendFile(join(folder, "CHANGELOG.md"), "- slug() is mended\n") },
      { about: "a further file is changed that may be" },
    ),
    scenario(
      "tests_not_run",
      // A limit on what is written cuts the module in half; nobody ran it.
      { hasTests: false, write: (path, text) => writeFile(path, text.slice(0, 64)) },
      { about: "the module is cut off, and no test was run", expected: ["verification_failed"] },
    ),
    scenario(
      "forbidden_file",
      { finish: addHeaders },
      { about: "the tests themselves were changed", expected: ["forbidden_path"] },
    ),
    scenario(
      "claimed_unchanged",
      // A trial run that was left switched on.
      { hasTests: false, write: async () => {} },
      { about: "nothing was written at all", expected: ["expected_change_missing", "verification_failed"] },
    ),
  ],
};
