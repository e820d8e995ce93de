import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { ATTR_RUN_ID } from "../../instrumentation/semconv.ts";
import { runFactsFromSpans } from "../../processor/evidence/run-facts-from-spans.ts";
import { judge } from "../../processor/verdict/judge.ts";
import { buildFixture, type Fixture } from "../../replay/index.ts";
import { openOtlpTap } from "../../replay/sandbox/otlp-tap.ts";
import { runPlayer } from "./run-player.ts";

/** A failed run as a fixture, and what was judged of the run itself. */
export interface FailedRun {
  readonly fixture: Fixture;
  readonly verdict: Verdict;
}

/** Plays recorded runs and makes a fixture of every failed one, without a store: the spans are kept in memory. */
export async function failedRuns(file: string): Promise<FailedRun[]> {
  const tap = await openOtlpTap();
  const stateDirectory = await mkdtemp(join(tmpdir(), "runproof-tau-"));
  try {
    await runPlayer({ file: resolve(file), otlpUrl: tap.url, stateDirectory, onPlayed: () => {} });
    const byRun = Map.groupBy(tap.rows, (row) => row.SpanAttributes[ATTR_RUN_ID] ?? "");
    return [...byRun].flatMap(([runId, rows]) => {
      const facts = runFactsFromSpans(runId, rows);
      const verdict = judge(facts.evidence, facts.contract);
      const build = buildFixture(facts, verdict, { fixtureId: `${facts.taskId}-${facts.attempt}` });
      return build.ok ? [{ fixture: build.fixture, verdict }] : [];
    });
  } finally {
    await tap.close();
    await rm(stateDirectory, { recursive: true, force: true });
  }
}
