import { z } from "zod";
import { createFixture } from "../../commands/fixture.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";
import { fixtureId, runId } from "./arguments.ts";
import { shownRun } from "./shown-run.ts";

export const createFixtureTool = defineTool({
  name: "create_fixture",
  title: "Create a fixture",
  description:
    "Rebuilds a failed run as a replay fixture, from its stored trace alone, and writes it to the configured folder as a " +
    "candidate. Replaces nothing. Refuses, with the step and the reason, when the trace is not enough.",
  access: "write",
  hints: { destructive: false, idempotent: false, openWorld: false },
  input: z.strictObject({
    run_id: runId,
    fixture_id: fixtureId.optional().describe("Name for the fixture; default made of agent and failure class."),
    required_status: z
      .array(z.enum(["passed", "blocked", "degraded", "skipped", "inconclusive"]))
      .min(1)
      .optional()
      .describe("How a mended agent may end; default passed, and blocked where a dependency was away."),
  }),
  limitSeconds: 120,
  async run({ run_id, fixture_id: id, required_status: statuses }, call) {
    const shown = await shownRun(run_id, call);
    if (!shown.found) return shown.answer;
    const requiredStatus = statuses?.join(",");
    const flags = {
      json: true,
      ...(id !== undefined && { id }),
      ...(requiredStatus !== undefined && { requiredStatus }),
    } as const;
    const made = await runVerb((it) => createFixture(run_id, flags, it), call.context);
    const isMade = made.outcome === "ok";
    return verbAnswer(made, {
      isError: !isMade,
      ...(made.outcome !== "environment" && { advice: isMade ? MADE : NOT_MADE }),
    });
  },
});

const MADE = ["minimise_fixture makes it smaller; replay_fixture shows whether the agent's code still fails on it."];
const NOT_MADE = [
  "untrusted_data.refusals names the step and the reason, untrusted_data.problems what else is in the way. " +
    "If the name is taken, give another fixture_id.",
];
