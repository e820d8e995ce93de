import { z } from "zod";
import { defineTool, READS } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";
import { fixtureId } from "./arguments.ts";
import { fixtureStates } from "./fixture-states.ts";
import { withFixture } from "./with-fixture.ts";

export const fixtureStatusTool = defineTool({
  name: "fixture_status",
  title: "Status of a fixture",
  description:
    "The state of one fixture now, why, and its newest canary. A candidate becomes certified by certify_fixture; a " +
    "stale one has to be certified again; a flaky one proves nothing.",
  access: "read",
  hints: READS,
  input: z.strictObject({ fixture_id: fixtureId }),
  limitSeconds: 60,
  run: ({ fixture_id }, call) =>
    withFixture(fixture_id, call, async (path) => {
      const { status, rows } = await fixtureStates(path, call);
      return verbAnswer(status, { data: { ...rows[0] } });
    }),
});
