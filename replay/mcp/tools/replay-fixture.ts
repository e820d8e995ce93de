import { z } from "zod";
import { replay } from "../../commands/replay.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";
import { fixtureId, replayMode, timeoutSeconds } from "./arguments.ts";
import { withFixture } from "./with-fixture.ts";

export const replayFixtureTool = defineTool({
  name: "replay_fixture",
  title: "Replay a fixture",
  description:
    "Runs the agent's code, as runproof.config names it and as it is in the working tree now, on a fixture's recorded " +
    "answers, and judges the run on evidence. Result: fixed (it passes), reproduced (the recorded failure is back), " +
    "diverged, inconclusive, errored. The run is stored with run_type replay.",
  access: "write",
  hints: { destructive: false, idempotent: false, openWorld: true },
  input: z.strictObject({ fixture_id: fixtureId, mode: replayMode, timeout_seconds: timeoutSeconds }),
  limitSeconds: 3_900,
  run: ({ fixture_id, mode, timeout_seconds }, call) =>
    withFixture(fixture_id, call, async (path) => {
      const timeout = timeout_seconds === undefined ? {} : { timeout: String(timeout_seconds) };
      const flags = { fixture: path, mode, json: true, store: true, ...timeout } as const;
      const replayed = await runVerb((it) => replay(flags, it), call.context);
      const advice = replayed.outcome === "ok" ? PASSES : replayed.outcome === "finding" ? FAILS : undefined;
      return verbAnswer(replayed, advice === undefined ? {} : { advice });
    }),
});

const PASSES = [
  "The code in the working tree passes. Commit it; then certify_fixture proves that the fixture fails on the broken " +
    "commit and passes on the fixed one.",
];
const FAILS = ["The code in the working tree fails. untrusted_data.verdict.reasons says what is missing."];
