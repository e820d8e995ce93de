import { beforeAll, describe, expect, it } from "vitest";
import type { RunRow } from "../clickhouse/run-rows.ts";
import { runFactsFromSpans } from "../evidence/run-facts-from-spans.ts";
import { spansByProject } from "../evidence/spans-by-project.ts";
import { attribute } from "../evidence/span-attributes.ts";
import { ATTR_RUN_ID } from "../../instrumentation/semconv.ts";
import { judge } from "../verdict/judge.ts";
import { mergedGaps, pausedMillis } from "./monitor-gaps.ts";
import { runKey } from "./run-key.ts";
import { runRowFromFacts } from "./run-row-from-facts.ts";
import { AFTER_GAP_MILLIS, BEAT_MILLIS } from "./testing/simulated-collector.ts";
import { SIMULATED_CONTRACTS, type SimulatedRun } from "./testing/simulated-run.ts";
import {
  CUT_OFF_MILLIS,
  GRACE_MILLIS,
  LONGEST_DOWN_MILLIS,
  SCAN_MILLIS,
  simulate,
  type SimulationResult,
} from "./testing/simulation.ts";

const isLong = process.env["RUNPROOF_LONG_TESTS"] === "1";
const RUNS = isLong ? 100_000 : 2_000;

/** What is left of a row when clocks and counters are put aside. */
const content = (row: RunRow): object => ({
  ...row,
  ...{ received_at: 0, deadline_at: 0, judged_at: 0, version: 0, fact_count: 0 },
});

/**
 * The rows that somebody would write who sees every fact that was ever stored: one; for a run that never ended two, as
 * what its process sent for other runs, and when, tells lost telemetry from an unknown end.
 */
function oracle({ store }: SimulationResult, { runId, traceId, project }: SimulatedRun): RunRow[] {
  const own = (store.spans.get(traceId) ?? []).filter((span) => attribute(span, ATTR_RUN_ID) === runId);
  const spans = spansByProject(own).get(project) ?? [];
  const contract = SIMULATED_CONTRACTS.get(runFactsFromSpans(runId, spans).contractSha256) ?? null;
  const told = runFactsFromSpans(runId, spans, { contract });
  if (told.factCount === 0 || told.startUnixNano === null) return [];
  const causes = [null, "telemetry_lost"] as const;
  const givenUp = causes.map((cause) => runFactsFromSpans(runId, spans, { contract, abandoned: { cause } }));
  const times = { receivedAt: 0, deadlineAt: 0, now: 0 };
  return (told.evidence.phase === "open" ? givenUp : [told]).map((facts) =>
    runRowFromFacts(facts, judge(facts.evidence, facts.contract), times),
  );
}

describe(`${RUNS} runs over three collectors, with loss, duplicates, reordering, skew, restarts and outages`, () => {
  let result: SimulationResult;
  beforeAll(async () => {
    result = await simulate({ runs: RUNS, seed: 3, maxLateMillis: (isLong ? 24 : 1) * 3_600_000 });
  }, 3_600_000);

  it("brings everything that was acknowledged into the store", () => {
    expect(result.unstored).toBe(0);
    expect(result.restarts).toBeGreaterThan(400);
    expect(result.storeProblems).toBeGreaterThan(100);
  });

  it("leaves each run with one verdict, which is the one of all its facts", { timeout: 600_000 }, () => {
    const wrong = result.runs.flatMap((run) => {
      const expected = oracle(result, run);
      const found = result.store.current(runKey({ project: run.project, run_id: run.runId }));
      if (found === undefined) return expected.length === 0 ? [] : [`${run.runId} has no verdict`];
      const isRight = expected.some((row) => JSON.stringify(content(row)) === JSON.stringify(content(found)));
      return isRight ? [] : [`${run.runId} ${differences(expected[0] ?? found, found)}`];
    });
    expect(wrong).toEqual([]);
  });

  it("gives up nobody whose end a live collector had acknowledged", () => {
    expect(result.falseAbandonments).toEqual([]);
  });

  it("lets deadlines stand still while nobody was there", () => {
    const early = abandonments(result).filter((row) => {
      const away = result.away.map(({ from, to }) => ({ started_at: from, ended_at: to, reason: "" }));
      const due = row.received_at + row.timeout_seconds * 1_000 + GRACE_MILLIS;
      const reached = away.filter((gap) => gap.started_at < due);
      return row.judged_at < due + pausedMillis(row, reached);
    });
    expect(early).toEqual([]);
  });

  it(
    "closes what never ends within timeout, grace and two scans, once live collectors have stored what they received and could tell so",
    { timeout: 600_000 },
    () => {
      const gaps = mergedGaps(result.store.gaps);
      const first = new Map<string, RunRow>();
      for (const row of abandonments(result)) if (!first.has(runKey(row))) first.set(runKey(row), row);
      const beyond = [...first.values()].map((row) => {
        const due =
          row.deadline_at +
          pausedMillis(
            row,
            gaps.filter((gap) => gap.ended_at < row.judged_at),
          );
        const afterGap = gaps.some((gap) => gap.ended_at <= row.judged_at && gap.ended_at + AFTER_GAP_MILLIS > due);
        // What is stored is told with the next beat, unless the collector dies or is cut off from the store before it.
        const told = result.storedBy(due) + CUT_OFF_MILLIS + 2 * BEAT_MILLIS + LONGEST_DOWN_MILLIS;
        return row.judged_at - told - 2 * SCAN_MILLIS - (afterGap ? AFTER_GAP_MILLIS + SCAN_MILLIS : 0);
      });
      // The store fails at random, so that now and then a scan or a beat is lost, and rarely several in a row.
      const late = beyond.filter((millis) => millis > 0);
      expect(late.length / beyond.length).toBeLessThan(0.02);
      expect(Math.max(...late, 0)).toBeLessThan(60_000);
    },
  );

  it("keeps every version that ever was current", () => {
    const newest = new Map<string, number>();
    for (const row of result.store.history) {
      newest.set(runKey(row), Math.max(newest.get(runKey(row)) ?? 0, row.version));
    }
    for (const [key, version] of newest) expect(result.store.current(key)?.version).toBe(version);
    const overturned = result.store.history.filter(
      (row) =>
        row.failure_class === "run_abandoned" && result.store.current(runKey(row))?.failure_class !== "run_abandoned",
    );
    expect(overturned.length).toBeGreaterThan(0);
  });
});

const differences = (expected: RunRow, found: RunRow): string =>
  Object.entries(content(expected))
    .filter(([column, value]) => JSON.stringify(value) !== JSON.stringify(found[column as keyof RunRow]))
    .map(
      ([column, value]) => `${column}: ${JSON.stringify(found[column as keyof RunRow])} for ${JSON.stringify(value)}`,
    )
    .join(", ");

const abandonments = ({ store }: SimulationResult): RunRow[] =>
  store.history.filter((row) => row.failure_class === "run_abandoned");
