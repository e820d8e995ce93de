import { createHash } from "node:crypto";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { ContractRow, RunRow } from "../clickhouse/run-rows.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { judge } from "../verdict/judge.ts";
import { createRecentMap } from "./recent-map.ts";
import { runKey } from "./run-key.ts";
import { judgesOtherwise, runRowFromFacts, saysSomethingNew } from "./run-row-from-facts.ts";
import type { RunJudgingStore } from "./run-store.ts";
import { verdictLogRow } from "./verdict-log-row.ts";

/** Told of every new verdict, after it is stored, once. What it throws is reported and not tried again. */
export type VerdictListener = (row: RunRow, verdict: Verdict, facts: RunFacts) => void | Promise<void>;

export interface RunRecorderOptions {
  readonly store: RunJudgingStore;
  /** Added to a run's timeout before it counts as abandoned, milliseconds. */
  readonly graceMillis: number;
  readonly now: () => number;
  /** Default: nobody. */
  readonly onVerdict?: VerdictListener;
  readonly onError: (what: string, error: unknown) => void;
}

export interface RunToRecord {
  readonly facts: RunFacts;
  /** The current record. */
  readonly current: RunRow | undefined;
}

export interface RunRecorder {
  /** Judges runs and stores what is new, all in one insert. Rejects when the store does; a repetition carries on. */
  record(runs: readonly RunToRecord[]): Promise<void>;
  /** Whether the store failed between the run's row and the word of its verdict, so that a repetition is due. */
  owes(run: Pick<RunRow, "project" | "run_id">): boolean;
}

interface Judged {
  readonly row: RunRow;
  readonly verdict: Verdict | null;
  readonly facts: RunFacts;
  readonly isNew: boolean;
  readonly tells: boolean;
}

const MAX_REMEMBERED = 100_000;

export function createRunRecorder(options: RunRecorderOptions): RunRecorder {
  const { store, now } = options;
  const contracts = createRecentMap<true>(MAX_REMEMBERED);
  // Verdicts whose row may be stored and whose event is not: the store failed in between.
  const untold = createRecentMap<true>(MAX_REMEMBERED);

  function judged({ facts, current }: RunToRecord): Judged {
    const verdict = facts.evidence.phase === "open" ? null : judge(facts.evidence, facts.contract);
    const receivedAt = current?.received_at ?? now();
    const deadlineAt = receivedAt + facts.timeoutSeconds * 1_000 + options.graceMillis;
    const row = runRowFromFacts(facts, verdict, { receivedAt, deadlineAt, now: now() });
    const isNew = saysSomethingNew(row, current);
    const tells = verdict !== null && (untold.has(runKey(row)) || (isNew && judgesOtherwise(row, current)));
    return { row, verdict, facts, isNew, tells };
  }

  async function record(runs: readonly RunToRecord[]): Promise<void> {
    const news = runs.map(judged).filter(({ isNew, tells }) => isNew || tells);
    if (news.length === 0) return;
    await rememberContracts(news.map(({ facts }) => facts));
    const told = news.filter(({ tells }) => tells);
    for (const { row } of told) untold.set(runKey(row), true);
    const rows = news.map(({ row }) => row);
    const token = tokenOf(rows);
    await store.insertRuns(rows, token);
    const events = told.flatMap(({ row, verdict }) => (verdict === null ? [] : [verdictLogRow(row, verdict)]));
    if (events.length > 0) await store.insertLogs(events, token);
    for (const one of told) await tell(one);
  }

  async function tell({ row, verdict, facts }: Judged): Promise<void> {
    untold.delete(runKey(row));
    if (verdict === null) return;
    try {
      await options.onVerdict?.(row, verdict, facts);
    } catch (error) {
      options.onError(`telling of the verdict of run ${facts.runId}`, error);
    }
  }

  /** The hash was checked when the contract was read off the spans: nobody plants another text under it. */
  async function rememberContracts(all: readonly RunFacts[]): Promise<void> {
    const fresh = new Map<string, ContractRow>();
    for (const { contract, contractSha256, agentName, project } of all) {
      const key = `${project}\n${contractSha256}`;
      if (contract === null || contracts.get(key) === true) continue;
      const text = canonicalJson(contract as unknown as JsonValue);
      const row = { contract_sha256: contractSha256, project, contract: text, agent_name: agentName };
      fresh.set(key, { ...row, first_seen_at: now() });
    }
    if (fresh.size === 0) return;
    await store.insertContracts([...fresh.values()]);
    for (const key of fresh.keys()) contracts.set(key, true);
  }

  return { record, owes: (run) => untold.has(runKey(run)) };
}

/** Names the set of versions: the same one is stored once, whoever stores it. */
function tokenOf(rows: readonly RunRow[]): string {
  const names = rows.map((row) => `${row.project}\n${row.run_id}\n${row.version}`).toSorted();
  return `runs-${createHash("sha256").update(names.join("\n\n")).digest("hex")}`;
}
