import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { readFixture } from "../../replay/fixture/fixture-store.ts";
import { replayFixture } from "../../replay/worker/replay-fixture.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function replay(module: string) {
  const reading = await readFixture(join(ROOT, "fixtures/agent_failure_forensics/staging_read_from_production"));
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const agent = { module: pathToFileURL(join(ROOT, "examples/scope-mixup", module)).href, exportName: "default" };
  const options = {
    environment: { PATH: process.env["PATH"] },
    storeUrl: null,
    timeoutMillis: 50_000,
    mode: "cassette",
  } as const;
  return await replayFixture(reading.fixture, agent, options);
}

describe("the fixture of the mix-up", () => {
  it("fails on the editor that writes to staging and reads from production, and passes on the one with a resolver", async () => {
    const broken = await replay("broken.ts");
    expect(broken).toMatchObject({
      outcome: "reproduced",
      verdict: { status: "failed", failureClass: "schema_mismatch" },
    });
    expect(broken.verdict?.reasons.map(({ code }) => code)).toContain("state_transition_mismatch");
    const fixed = await replay("fixed.ts");
    expect(fixed).toMatchObject({ outcome: "fixed", verdict: { status: "passed" } });
    for (const { cassette } of [broken, fixed]) expect(cassette.misses).toEqual([]);
  });
});
