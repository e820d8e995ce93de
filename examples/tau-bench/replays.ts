import { join } from "node:path";
import { readStoredRun } from "../../replay/commands/stored-run.ts";
import { buildFixture, readFixture, replayFixture, writeFixture } from "../../replay/index.ts";
import type { RunStore } from "../../processor/run/run-store.ts";
import type { RunRow } from "../../processor/clickhouse/run-rows.ts";

export interface ReplayCheck {
  readonly runId: string;
  /** Why no fixture could be made; `null` when one was. */
  readonly refusal: string | null;
  /** Same verdict and same reason codes as the stored run. */
  readonly same: boolean;
  readonly detail: string;
}

export interface ReplayChecksOptions {
  readonly runs: RunStore;
  readonly otlpUrl: string;
  readonly fixturesDirectory: string;
  readonly signal: AbortSignal;
}

const AGENT = new URL(import.meta.url.endsWith(".ts") ? "./airline-agent.ts" : "./airline-agent.js", import.meta.url);

/** Failed run -> stored spans -> fixture on disk -> the agent's code in a process of its own -> verdict, compared. */
export async function checkReplay(row: RunRow, options: ReplayChecksOptions): Promise<ReplayCheck> {
  const no = (refusal: string): ReplayCheck => ({ runId: row.run_id, refusal, same: false, detail: refusal });
  const stored = await readStoredRun(options.runs, row.run_id);
  if (stored === undefined) return no("the run is not in the store");
  const fixtureId = `${row.task_id}-${row.attempt}`;
  const build = buildFixture(stored.facts, stored.verdict, { fixtureId });
  if (!build.ok) return no(build.refusals.map(({ step, reason }) => `${step}: ${reason}`).join("; "));
  const writing = await writeFixture(options.fixturesDirectory, build.fixture);
  if (writing.status !== "written") return no(`not written: ${writing.status}`);
  const reading = await readFixture(join(options.fixturesDirectory, fixtureId));
  if (!reading.ok) return no(reading.problems.map(({ reason }) => reason).join("; "));
  const result = await replayFixture(
    reading.fixture,
    { module: AGENT.href, exportName: "default" },
    { environment: process.env, storeUrl: options.otlpUrl, signal: options.signal },
  );
  const codes = (reasons: readonly { readonly code: string }[]): string =>
    [...new Set(reasons.map(({ code }) => code))].toSorted().join(",");
  const same =
    result.verdict !== null &&
    result.verdict.status === row.status &&
    codes(result.verdict.reasons) === codes(stored.verdict.reasons);
  return { runId: row.run_id, refusal: null, same, detail: `${result.outcome}: ${result.explanation}` };
}
