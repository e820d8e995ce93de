import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ATTR_PARENT_RUN_ID, ATTR_RUN_ID } from "../../../instrumentation/semconv.ts";
import type { SpanRow } from "../../../processor/clickhouse/rows.ts";
import type { Fixture } from "../../fixture/fixture-format.ts";
import { openOtlpTap } from "../../sandbox/otlp-tap.ts";
import { fixtureOfRows } from "../recorded-fixture.ts";
import { generatedPlan } from "./plan.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
export const plannedAgent = new URL(`../agents/planned-agent.${extension}`, import.meta.url).href;
const instrumentation = new URL(`../../../instrumentation/index.${extension}`, import.meta.url).href;

/** What `drawn()` of the agent puts into arguments: as recorded it came from the machine. */
const VOLATILE = ["/at", "/since", "/id", "/nonce", "/n", "/run"];

/** Runs a generated agent for real, with the machine's clock and randomness, and builds the fixture of its failed run. */
export async function plannedFixture(seed: number): Promise<Fixture> {
  const rows = await record(seed);
  const subRuns = new Set(rows.filter((row) => row.SpanAttributes[ATTR_PARENT_RUN_ID]).map(runIdOf));
  const runId = rows.map(runIdOf).find((id) => id !== "" && !subRuns.has(id)) ?? "";
  const fixture = fixtureOfRows(rows, `planned_${seed}`, runId);
  const { cassette } = fixture;
  return { ...fixture, cassette: { ...cassette, ignore: [{ name: "*", pointers: VOLATILE }] } };
}

async function record(seed: number): Promise<readonly SpanRow[]> {
  const tap = await openOtlpTap();
  const cwd = await mkdtemp(join(tmpdir(), "runproof-planned-"));
  try {
    const code = `
      import { configure } from ${JSON.stringify(instrumentation)};
      import agent from ${JSON.stringify(plannedAgent)};
      // On a busy machine no record may be left to the next process.
      configure({ deadlineMillis: 30_000 });
      await agent({ plan: JSON.parse(process.argv[1]) });`;
    const env = {
      PATH: process.env["PATH"],
      PLANNED_WORLD: "1",
      RUNPROOF_ENDPOINT: tap.url,
      RUNPROOF_STATE_DIR: join(cwd, "state"),
    };
    const plan = JSON.stringify(generatedPlan(seed));
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code, plan], { cwd, env });
    return [...tap.rows];
  } finally {
    await tap.close();
    await rm(cwd, { recursive: true, force: true });
  }
}

const runIdOf = (row: SpanRow): string => row.SpanAttributes[ATTR_RUN_ID] ?? "";
