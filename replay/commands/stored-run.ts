import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import { parseJson } from "../../instrumentation/json/json.ts";
import type { RunReader } from "../../processor/clickhouse/run-reader.ts";
import type { RunRow } from "../../processor/clickhouse/run-rows.ts";
import type { RunFacts } from "../../processor/evidence/run-facts.ts";
import { runFactsFromSpans } from "../../processor/evidence/run-facts-from-spans.ts";
import { judge } from "../../processor/verdict/judge.ts";

/** A run as the store knows it: its current record, its facts, and the verdict these give. */
export interface StoredRun {
  readonly row: RunRow;
  readonly facts: RunFacts;
  readonly verdict: Verdict;
}

/** Reads one run with its spans; `undefined` when the store has no such run. */
export async function readStoredRun(reader: RunReader, runId: string): Promise<StoredRun | undefined> {
  const row = await reader.currentRun(runId);
  if (row === undefined) return undefined;
  const [spans, contract] = await Promise.all([
    reader.spansOfRun(row.trace_id),
    readContract(reader, row.contract_sha256),
  ]);
  // The watchdog's decision is in the record; the spans alone would say "still open".
  const known = row.status === "started" ? { contract } : { contract, abandoned: { cause: null } };
  const facts = runFactsFromSpans(runId, spans, known);
  return { row, facts, verdict: judge(facts.evidence, facts.contract) };
}

async function readContract(reader: RunReader, sha256: string): Promise<RunContract | null> {
  const text = sha256 === "" ? undefined : await reader.contract(sha256);
  try {
    return text === undefined ? null : parseContract(parseJson(text));
  } catch {
    // A stored contract that no longer parses is the same as none: the facts then say what is missing.
    return null;
  }
}
