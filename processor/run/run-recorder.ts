import { createHash } from "node:crypto";
import type { RunContract } from "../../instrumentation/contract/contract.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { ContractRow, RunRow } from "../clickhouse/run-rows.ts";
import type { JudgedRun } from "./judged-run.ts";
import { createRecentMap } from "./recent-map.ts";
import { runKey } from "./run-key.ts";
import { judgesOtherwise, saysSomethingNew, timedRow } from "./run-row-from-facts.ts";
import type { RunJudgingStore } from "./run-store.ts";
import { verdictLogRow } from "./verdict-log-row.ts";

/** Told of every new verdict, after it is stored, once. What it throws is reported and not tried again. */
export type VerdictListener = (row: RunRow, verdict: Verdict) => void | Promise<void>;

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
  readonly run: JudgedRun;
  /** The current record. */
  readonly current: RunRow | undefined;
}

export interface RunRecorder {
  /** Stores what is new of judged runs, all in one insert. Rejects when the store does; a repetition carries on. */
  record(runs: readonly RunToRecord[]): Promise<void>;
  /** Whether the store failed between the run's row and the word of its verdict, so that a repetition is due. */
  owes(run: Pick<RunRow, "project" | "run_id">): boolean;
}

interface Version {
  readonly row: RunRow;
  readonly verdict: Verdict | null;
  readonly contract: RunContract | null;
  readonly isNew: boolean;
  readonly tells: boolean;
}

const MAX_REMEMBERED = 100_000;

export function createRunRecorder(options: RunRecorderOptions): RunRecorder {
  const { store, now } = options;
  const contracts = createRecentMap<true>(MAX_REMEMBERED);
  // Verdicts whose row may be stored and whose event is not: the store failed in between.
  const untold = createRecentMap<true>(MAX_REMEMBERED);

  function versionOf({ run, current }: RunToRecord): Version {
    const { verdict, contract } = run;
    const receivedAt = current?.received_at ?? now();
    const deadlineAt = receivedAt + run.row.timeout_seconds * 1_000 + options.graceMillis;
    const row = timedRow(run.row, { receivedAt, deadlineAt, now: now() });
    const isNew = saysSomethingNew(row, current);
    const tells = verdict !== null && (untold.has(runKey(row)) || (isNew && judgesOtherwise(row, current)));
    return { row, verdict, contract, isNew, tells };
  }

  async function record(runs: readonly RunToRecord[]): Promise<void> {
    const news = runs.map(versionOf).filter(({ isNew, tells }) => isNew || tells);
    if (news.length === 0) return;
    await rememberContracts(news);
    const told = news.filter(({ tells }) => tells);
    for (const { row } of told) untold.set(runKey(row), true);
    const rows = news.map(({ row }) => row);
    const token = tokenOf(rows);
    await store.insertRuns(rows, token);
    const events = told.flatMap(({ row, verdict }) => (verdict === null ? [] : [verdictLogRow(row, verdict)]));
    if (events.length > 0) await store.insertLogs(events, token);
    for (const one of told) await tell(one);
  }

  async function tell({ row, verdict }: Version): Promise<void> {
    untold.delete(runKey(row));
    if (verdict === null) return;
    try {
      await options.onVerdict?.(row, verdict);
    } catch (error) {
      options.onError(`telling of the verdict of run ${row.run_id}`, error);
    }
  }

  /** The hash was checked when the contract was read off the spans: nobody plants another text under it. */
  async function rememberContracts(all: readonly Version[]): Promise<void> {
    const fresh = new Map<string, ContractRow>();
    for (const { contract, row: of } of all) {
      const key = `${of.project}\n${of.contract_sha256}`;
      if (contract === null || contracts.get(key) === true) continue;
      const text = canonicalJson(contract as unknown as JsonValue);
      const { project, contract_sha256, agent_name } = of;
      fresh.set(key, { contract_sha256, project, contract: text, agent_name, first_seen_at: now() });
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
