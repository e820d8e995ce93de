import { ATTR_RUN_ID } from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../../processor/clickhouse/rows.ts";
import { runFactsFromSpans } from "../../processor/evidence/run-facts-from-spans.ts";
import { judge } from "../../processor/verdict/judge.ts";
import { buildFixture } from "../fixture/build-fixture.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { recordRun } from "./record-run.ts";

/** The fixture of a recorded run. Throws what it is refused for. `runId`: default that of the first span. */
export function fixtureOfRows(
  rows: readonly SpanRow[],
  fixtureId: string,
  runId = rows[0]?.SpanAttributes[ATTR_RUN_ID] ?? "",
): Fixture {
  const facts = runFactsFromSpans(runId, rows);
  const build = buildFixture(facts, judge(facts.evidence, facts.contract), { fixtureId });
  if (!build.ok) throw new Error(`${fixtureId} is refused: ${JSON.stringify(build.refusals)}`);
  return build.fixture;
}

/** The failed run of the broken report agent, recorded for real. */
export const brokenReportFixture = async (fixtureId = "missing_report"): Promise<Fixture> =>
  fixtureOfRows(await recordRun("broken"), fixtureId);
