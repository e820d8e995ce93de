import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { tiersOf } from "../replay/canary/canary-config.ts";
import { readFixtureOnDisk } from "../replay/certify/fixture-on-disk.ts";
import { loadConfig } from "../replay/config.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What the critical set has to cover, and the fixture that does. */
const CRITICAL = [
  ["queue claim", "unreleased_claim"],
  ["tool output normalisation", "misread_amount"],
  ["artifact validation", "missing_artifact_ref"],
  ["retry exhaustion", "swallowed_retries"],
  ["blocked dependency classification", "outage_taken_for_success"],
  ["completion verdict", "unverified_code"],
  ["alert emission", "alert_resolved_as_duplicate"],
] as const;

describe("the shipped critical set", () => {
  test.each(CRITICAL)("covers %s with %s, which is certified as it lies there", async (_, id) => {
    const reading = await readFixtureOnDisk(join(ROOT, "fixtures", "agent_failure_forensics", id));
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    const { contentSha256, fixture } = reading.value;
    const { notes, input } = fixture;
    expect(notes.certification).toMatchObject({ result: "certified", fixture_sha256: contentSha256 });
    // What was proven to pass is what the canaries replay.
    const { config } = await loadConfig(ROOT);
    expect(config.agents[input.agent_name]?.module).toBe(`./${notes.certification?.fixed?.module}`);
  });

  test("is what the critical tier of this repository replays", async () => {
    const { config } = await loadConfig(ROOT);
    const critical = tiersOf(config.canary).find(({ name }) => name === "critical");
    expect(critical?.fixtures).toEqual(CRITICAL.map(([, id]) => id));
  });
});
