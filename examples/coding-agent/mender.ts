import { readFile, writeFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { codingContract, withRun, wrapTool } from "../../instrumentation/index.ts";
import { type AgentTool, converse, type ModelPlace } from "../local-model/converse.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { runTests, TEST_COMMAND } from "./repository.ts";

export interface MendTask {
  readonly issue: string;
  readonly model: ModelPlace;
}

/** The places where this agent can go wrong without a word. */
export interface MendWays {
  readonly write: (path: string, text: string) => Promise<void>;
  /** What it does to the repository when the model has finished. */
  readonly finish: (folder: string) => Promise<void>;
  /** Whether the model may run the tests. */
  readonly hasTests: boolean;
}

export const GOOD_WAYS: MendWays = {
  write: (path, text) => writeFile(path, text),
  finish: async () => {},
  hasTests: true,
};

const contract = codingContract({
  agent: "coding-agent",
  changes: ["src/slug.mjs"],
  allowed: ["CHANGELOG.md"],
  forbidden: ["test/**"],
  verification: { command: [...TEST_COMMAND], timeoutSeconds: 20 },
  tools: ["read_file", "write_file", "run_tests"],
  limits: { timeoutSeconds: 120, maxSteps: 40 },
});

/** Has a model read, change and test a repository, and says that the issue is solved. */
export const createMender =
  (ways: MendWays) =>
  (input: MendTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contract,
      async (run) => {
        const folder = place.folder ?? ".";
        const said = await converse({
          model: input.model,
          system: "You mend code. Change only src/slug.mjs. Run the tests, if you can, until they pass.",
          task: input.issue,
          tools: toolsIn(folder, ways),
        });
        await ways.finish(folder);
        run.claim("done", "the issue is solved");
        return said;
      },
      { input, taskId: "issue:12", model: input.model.name, ...runOptions(place) },
    );

function toolsIn(folder: string, ways: MendWays): readonly AgentTool[] {
  const read = wrapTool({ name: "read_file", sideEffect: "read" }, ({ path }: { path: string }) =>
    readFile(pathIn(folder, path), "utf8"),
  );
  const write = wrapTool({ name: "write_file" }, async ({ path, text }: { path: string; text: string }) => {
    await ways.write(pathIn(folder, path), text);
    return { written: path };
  });
  const test = wrapTool({ name: "run_tests", sideEffect: "read" }, () => runTests(folder));
  const path = { type: "string" };
  return [
    {
      name: "read_file",
      description: "Reads a file of the repository.",
      parameters: { type: "object", properties: { path }, required: ["path"] },
      run: read,
    },
    {
      name: "write_file",
      description: "Writes a file of the repository, whole.",
      parameters: { type: "object", properties: { path, text: { type: "string" } }, required: ["path", "text"] },
      run: write,
    },
    ...(ways.hasTests
      ? [{ name: "run_tests", description: "Runs the tests.", parameters: { type: "object" }, run: test }]
      : []),
  ];
}

/** A model's path must not leave the repository. */
function pathIn(folder: string, path: string): string {
  const inside = normalize(path);
  if (inside.startsWith("..") || inside.startsWith("/")) throw new Error("the path is outside of the repository");
  return join(folder, inside);
}
