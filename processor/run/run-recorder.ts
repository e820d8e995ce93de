import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { judge } from "../verdict/judge.ts";
import { judgesOtherwise, runRowFromFacts, saysSomethingNew } from "./run-row-from-facts.ts";
import type { RunStore } from "./run-store.ts";
import { verdictLogRow } from "./verdict-log-row.ts";

/** Told of every new verdict, after it is stored, once. What it throws is reported and not tried again. */
export type VerdictListener = (row: RunRow, verdict: Verdict, facts: RunFacts) => void | Promise<void>;

export interface RunRecorderOptions {
  readonly store: RunStore;
  /** Added to a run's timeout before it counts as abandoned, milliseconds. */
  readonly graceMillis: number;
  readonly now: () => number;
  /** Default: nobody. */
  readonly onVerdict?: VerdictListener;
  readonly onError: (what: string, error: unknown) => void;
}

/** Judges a run and stores what is new. Rejects when the store does; the same call then carries on where it stopped. */
export type RunRecorder = (facts: RunFacts, current: RunRow | undefined) => Promise<void>;

const MAX_REMEMBERED = 100_000;

export function createRunRecorder(options: RunRecorderOptions): RunRecorder {
  const { store, now } = options;
  const contracts = new Set<string>();
  // Verdicts whose row may be stored and whose event is not: the store failed in between.
  const untold = new Set<string>();

  return async (facts, current) => {
    const verdict = facts.evidence.phase === "open" ? null : judge(facts.evidence, facts.contract);
    const receivedAt = current?.received_at ?? now();
    const deadlineAt = receivedAt + facts.timeoutSeconds * 1_000 + options.graceMillis;
    const row = runRowFromFacts(facts, verdict, { receivedAt, deadlineAt, now: now() });
    const isNew = saysSomethingNew(row, current);
    const tells = verdict !== null && (untold.has(facts.runId) || (isNew && judgesOtherwise(row, current)));
    if (!isNew && !tells) return;
    await rememberContract(facts);
    const token = `${row.run_id}:${row.version}`;
    if (tells) untold.add(facts.runId);
    await store.insertRuns([row], token);
    if (verdict === null || !tells) return;
    await store.insertLogs([verdictLogRow(row, verdict)], token);
    untold.delete(facts.runId);
    try {
      await options.onVerdict?.(row, verdict, facts);
    } catch (error) {
      options.onError(`telling of the verdict of run ${facts.runId}`, error);
    }
  };

  async function rememberContract(facts: RunFacts): Promise<void> {
    if (facts.contract === null || contracts.has(facts.contractSha256)) return;
    const contract = canonicalJson(facts.contract as unknown as JsonValue);
    await store.insertContracts([
      { contract_sha256: facts.contractSha256, contract, agent_name: facts.agentName, first_seen_at: now() },
    ]);
    if (contracts.size >= MAX_REMEMBERED) contracts.clear();
    contracts.add(facts.contractSha256);
  }
}
