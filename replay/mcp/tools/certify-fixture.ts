import { z } from "zod";
import { refProblem } from "../../certify/code-ref.ts";
import { certify } from "../../commands/certify.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";
import { fixtureId, replayMode } from "./arguments.ts";
import { withFixture } from "./with-fixture.ts";

/** A commit and nothing else: which module of it is the agent, the configuration says. */
const gitRef = z
  .string()
  .min(1)
  .max(250)
  .refine((ref) => refProblem(ref) === undefined, { error: "must be a branch, tag or commit of this repository" });

export const certifyFixtureTool = defineTool({
  name: "certify_fixture",
  title: "Certify a fixture",
  description:
    "Proves a fixture and records the proof: its replay fails on the broken commit and passes on the fixed one, each " +
    "time. Runs the agent's code of both commits, checked out apart from the working tree; the fix must be committed.",
  access: "write",
  hints: { destructive: false, idempotent: true, openWorld: true },
  input: z.strictObject({
    fixture_id: fixtureId,
    broken: gitRef.describe("Branch, tag or commit on which the replay fails."),
    fixed: gitRef.describe("Branch, tag or commit on which it passes."),
    runs: z.int().min(1).max(20).default(3).describe("Replays on each side, which must agree."),
    mode: replayMode,
  }),
  limitSeconds: 3_600,
  run: ({ fixture_id, broken, fixed, runs, mode }, call) =>
    withFixture(fixture_id, call, async (path) => {
      const flags = { broken, fixed, runs: String(runs), mode, json: true } as const;
      const certified = await runVerb(
        (it) => certify(path, flags, it),
        call.context,
        (line) => {
          // The rest of the line may quote the agent.
          const [, side, run] = /^(broken|fixed) (\d{1,3}\/\d{1,3}): /.exec(line) ?? [];
          if (side !== undefined && run !== undefined) call.progress(`${side} ${run}`);
        },
      );
      const isProven = certified.outcome === "ok";
      return verbAnswer(certified, { isError: !isProven, ...(isProven && { advice: PROVEN }) });
    }),
});

const PROVEN = ["The fixture is regression coverage now. Commit its folder; gate says whether the whole is healthy."];
