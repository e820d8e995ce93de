import { z } from "zod";
import { minimiseCommand } from "../../commands/minimise.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";
import { fixtureId } from "./arguments.ts";
import { withFixture } from "./with-fixture.ts";

export const minimiseFixtureTool = defineTool({
  name: "minimise_fixture",
  title: "Minimise a fixture",
  description:
    "Writes a smaller fixture that shows the same failure, by replaying ever smaller candidates with the agent's code " +
    "that runproof.config names, in its working tree. Asks no model. Runs that code many times; may take minutes. What " +
    "was found when it is cancelled or its time is up is kept, and resume goes on from there.",
  access: "write",
  hints: { destructive: false, idempotent: false, openWorld: true },
  input: z.strictObject({
    fixture_id: fixtureId,
    new_id: fixtureId.optional().describe("Name for the smaller fixture; default the fixture's with _min."),
    max_replays: z.int().min(1).max(100_000).optional().describe("Stop after so many, with the smallest so far."),
    resume: z.boolean().default(false).describe("Go on with a search that was stopped."),
  }),
  limitSeconds: 1_800,
  run: ({ fixture_id, new_id, max_replays, resume }, call) =>
    withFixture(fixture_id, call, async (path) => {
      const flags = {
        json: true,
        ...(new_id !== undefined && { id: new_id }),
        ...(max_replays !== undefined && { maxReplays: String(max_replays) }),
        ...(resume && { resume: true as const }),
      } as const;
      const found = await runVerb((it) => minimiseCommand(path, flags, it), call.context);
      const isDone = found.outcome === "ok";
      return verbAnswer(found, { isError: !isDone, ...(isDone && { advice: SMALLER }) });
    }),
});

const SMALLER = ["replay_fixture and certify_fixture take the smaller one by its fixture_id."];
