import { writeFile } from "node:fs/promises";
import type { Example, Scenario, Stage } from "../scenarios/scenario.ts";
import { createResearcher, GOOD_WAYS, type ResearchWays, save } from "./researcher.ts";
import { researchScript } from "./script.ts";

const scenario = (
  name: string,
  ways: Partial<ResearchWays>,
  { about, expected = [] }: Pick<Scenario, "about"> & Partial<Pick<Scenario, "expected">>,
): Scenario => ({
  name,
  about,
  expected,
  play: ({ model, ...place }: Stage) => createResearcher({ ...GOOD_WAYS, ...ways })({ topic: "tides", model }, place),
});

export const researchExample: Example = {
  agent: "research-agent",
  script: researchScript,
  scenarios: [
    scenario("good", {}, { about: "reads three pages; a fourth does not exist, and that is no failure" }),
    scenario("good_streamed", { stream: true }, { about: "the same, with the model's answers as streams" }),
    scenario(
      "report_missing",
      {
        // Nobody made the folder, and a `catch` that was to keep the agent going keeps it quiet.
        saveReport: (path, report) => writeFile(path, JSON.stringify(report)).catch(() => {}),
      },
      { about: "the report is never written", expected: ["missing_artifact_ref"] },
    ),
    scenario(
      "evidence_empty",
      // The note is opened, and its text is never put in.
      { saveNote: (path) => save(path, "") },
      { about: "the notes it rests on are empty files", expected: ["evidence_path_missing"] },
    ),
    scenario(
      "schema_wrong",
      // Joined for people, while programs read the report.
      { sourcesOf: (sources) => sources.map(({ url }) => url).join(", ") },
      { about: "the sources are a text, where the report's readers expect a list", expected: ["schema_mismatch"] },
    ),
  ],
};
