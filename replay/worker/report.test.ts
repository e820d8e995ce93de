import { describe, expect, test } from "vitest";
import { createPlayer } from "../cassette/player.ts";
import { builtFixture, missingArtifactVerdict } from "../testing/facts.ts";
import { asks } from "../testing/interactions.ts";
import type { ReplayResult } from "./replay-result.ts";
import { replayReport } from "./report.ts";
import { replayResultJson } from "./report-json.ts";

const hostile = "\u001b[2J\u202eowned\r";

function result(): ReplayResult {
  const fixture = builtFixture();
  const player = createPlayer(fixture.cassette);
  player.answer(asks("search#0", { q: hostile }));
  return {
    fixtureId: fixture.id,
    mode: "cassette",
    outcome: "diverged",
    explanation: `because ${hostile}`,
    run: { runId: hostile, traceId: "t", agentName: "a", model: "", promptVersion: "", toolAllowlist: [] },
    verdict: {
      ...missingArtifactVerdict,
      reasons: [{ code: "run_aborted", clause: "/x", evidence: [], message: hostile }],
    },
    requiredStatus: ["passed"],
    observed: fixture.notes.observed,
    cassette: player.report(),
    transcriptSha256: "00",
    agent: { type: "returned" },
    stored: false,
    notes: [],
    output: { stdout: hostile, stderr: "" },
  };
}

describe("the report of a replay", () => {
  test("says outcome, verdict, misses and unused recordings", () => {
    const text = replayReport(result(), (_, line) => line);
    expect(text).toMatch(/^DIVERGED {2}missing_report\n/);
    expect(text).toContain("cassette 0 answered, 1 missed, 1 unused");
    expect(text).toContain("unused #0 search at search#0");
  });

  test("gives nothing from spans the power to move the cursor", () => {
    for (const outcome of ["diverged", "errored"] as const) {
      // oxlint-disable-next-line no-control-regex -- that is what this is about
      expect(replayReport({ ...result(), outcome }, (_, line) => line)).not.toMatch(/[\u001b\u202e\r]/);
    }
  });

  test("in JSON names the nearest recording and the differing fields", () => {
    expect(replayResultJson(result()).cassette.misses).toMatchObject([
      {
        reason: "unrecorded",
        nearest: { index: 0, name: "search", path: "search#0" },
        differences: [{ pointer: "/arguments/q", recorded: "otters", asked: hostile }],
      },
    ]);
  });
});
