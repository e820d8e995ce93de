import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import type { RunRow } from "../../processor/clickhouse/run-rows.ts";
import type { RunFacts } from "../../processor/evidence/run-facts.ts";
import type { RunStore } from "../../processor/run/run-store.ts";
import { readFacts } from "../../processor/run/stored-facts.ts";
import { judge } from "../../processor/verdict/judge.ts";

/** A run as the store knows it: its current record, its facts, and the verdict these give. */
export interface StoredRun {
  readonly row: RunRow;
  readonly facts: RunFacts;
  readonly verdict: Verdict;
}

/** Reads one run with its spans; `undefined` when the store has no such run. */
export async function readStoredRun(store: RunStore, runId: string): Promise<StoredRun | undefined> {
  const row = await store.currentRun(runId);
  if (row === undefined) return undefined;
  const facts = await readFacts(store, row);
  return { row, facts, verdict: judge(facts.evidence, facts.contract) };
}
