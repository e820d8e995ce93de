import { z } from "zod";
import { retireFixture } from "../../commands/fixture-status.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";
import { fixtureId } from "./arguments.ts";
import { withFixture } from "./with-fixture.ts";

export const retireFixtureTool = defineTool({
  name: "retire_fixture",
  title: "Retire a fixture",
  description:
    "Takes a fixture out of service, with the reason: canaries and suites leave it out from then on. What it protected " +
    "is not watched any more, so ask a person first.",
  access: "write",
  hints: { destructive: true, idempotent: true, openWorld: false },
  input: z.strictObject({ fixture_id: fixtureId, reason: z.string().min(1).max(1_000).describe("Why.") }),
  limitSeconds: 60,
  run: ({ fixture_id, reason }, call) =>
    withFixture(fixture_id, call, async (path) => {
      const retired = await runVerb((it) => retireFixture(path, { reason }, it), call.context);
      return verbAnswer(retired, { data: { fixture_id, state: retired.outcome === "ok" ? "retired" : null } });
    }),
});
