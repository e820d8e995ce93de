import * as semconv from "../../../instrumentation/semconv.ts";
import type { LogRow, SpanRow } from "../../clickhouse/rows.ts";
import type { CollectorBeatRow, ContractRow, MonitorGapRow, RunRow } from "../../clickhouse/run-rows.ts";
import { attribute, resourceAttribute } from "../../evidence/span-attributes.ts";
import { projectOfSpan } from "../../evidence/spans-by-project.ts";
import { LAST_EVENTS } from "../last-events.ts";
import { isTraceRun } from "../../evidence/trace-run-id.ts";
import { touchedByLog, touchedRunFrom } from "../../native/index.ts";
import { isOutermost } from "../../evidence/trace-root.ts";
import { runKey } from "../run-key.ts";
import type { RunCensus, RunJudgingStore, RunWatchStore, StoredRun } from "../run-store.ts";

/** The part of the store that judging and watching use, and the insert that feeds it. */
export type SimulatedStore = RunJudgingStore &
  RunWatchStore & { insertSpans(spans: readonly SpanRow[], token: string): Promise<void> };

/** A store in memory with the contract of the real one, as far as runs are concerned. */
export interface MemoryRunStore extends SimulatedStore {
  readonly spans: ReadonlyMap<string, readonly SpanRow[]>;
  /** Every row ever inserted, in order. */
  readonly history: readonly RunRow[];
  readonly logs: readonly LogRow[];
  readonly gaps: readonly MonitorGapRow[];
  current(key: string): RunRow | undefined;
}

const PAGE = 1_000;
const nameOf = ({ runId, traceId }: StoredRun): string => `${runId}\n${traceId}`;
const runIdOf = (span: SpanRow): string => attribute(span, semconv.ATTR_RUN_ID) || (touchedRunFrom(span)?.runId ?? "");

export function createMemoryRunStore(now: () => number): MemoryRunStore {
  const traces = new Map<string, SpanRow[]>();
  /** In the order they were stored. */
  const arrivals: { readonly at: number; readonly run: StoredRun; readonly startMillis: number }[] = [];
  const history: RunRow[] = [];
  const current = new Map<string, RunRow>();
  const keysOfId = new Map<string, Set<string>>();
  const open = new Map<string, RunRow>();
  const contracts = new Map<string, ContractRow>();
  const logs: LogRow[] = [];
  const gaps: MonitorGapRow[] = [];
  const beats = new Map<string, CollectorBeatRow>();
  const heard = new Map<string, number>();
  const tokens = new Set<string>();

  /** Whether the block is new; a token stores once. */
  function isNew(table: string, token: string | undefined): boolean {
    if (token === undefined) return true;
    const name = `${table}\n${token}`;
    if (tokens.has(name)) return false;
    tokens.add(name);
    return true;
  }

  function putSpan(span: SpanRow): void {
    const { TraceId: traceId } = span;
    const startMillis = Number(BigInt(span.Timestamp) / 1_000_000n);
    const of = traces.get(traceId);
    if (of === undefined) traces.set(traceId, [span]);
    else of.push(span);
    arrivals.push({ at: now(), run: { runId: runIdOf(span), traceId }, startMillis });
    const process = `${projectOfSpan(span)}\n${resourceAttribute(span, semconv.ATTR_SERVICE_INSTANCE_ID)}`;
    heard.set(process, Math.max(heard.get(process) ?? 0, startMillis));
  }

  function putRun(row: RunRow): void {
    history.push(row);
    const key = runKey(row);
    const before = current.get(key);
    // Of equal versions the one inserted last stays, as in a ReplacingMergeTree.
    if (before !== undefined && row.version < before.version) return;
    current.set(key, row);
    keysOfId.set(row.run_id, (keysOfId.get(row.run_id) ?? new Set()).add(key));
    if (row.status === "started") open.set(key, row);
    else open.delete(key);
  }

  function spansOf(run: StoredRun): SpanRow[] {
    const all = traces.get(run.traceId) ?? [];
    if (!isTraceRun(run)) return all.filter((span) => runIdOf(span) === run.runId);
    const hasOwnRun = all.some((span) => attribute(span, semconv.ATTR_RUN_ID) !== "");
    return hasOwnRun || !all.some((span) => runIdOf(span) === run.runId) ? [] : all;
  }

  const logsOf = (traceId: string): LogRow[] =>
    logs.filter((log) => log.TraceId === traceId && touchedByLog(log) !== undefined);

  function censusOf(run: StoredRun): RunCensus[] {
    const own = spansOf(run);
    if (own.length === 0) return [];
    const isEnd = (span: SpanRow): boolean =>
      isTraceRun(run) ? isOutermost(span) : LAST_EVENTS.has(attribute(span, semconv.ATTR_RUN_EVENT));
    const events = isTraceRun(run) ? logsOf(run.traceId) : [];
    const told = new Set(events.map(({ Timestamp, SpanId, EventName }) => `${Timestamp} ${SpanId} ${EventName}`));
    const spans = new Set(own.map((span) => span.SpanId)).size + told.size;
    return [{ ...run, spans, ended: own.some(isEnd) }];
  }

  return {
    spans: traces,
    history,
    logs,
    gaps,
    current: (key) => current.get(key),
    async insertSpans(spans, token) {
      if (isNew("spans", token)) spans.forEach(putSpan);
    },
    async census(runs) {
      return runs.flatMap(censusOf);
    },
    logsOfTraces: async (traceIds) => traceIds.flatMap(logsOf),
    async spansOfRuns(runs, { bounded }) {
      const all = runs.flatMap(spansOf);
      return bounded === undefined ? all : all.slice(0, bounded.maxSpans);
    },
    async currentRunsOf(runIds) {
      return runIds.flatMap((id) => [...(keysOfId.get(id) ?? [])].flatMap((key) => current.get(key) ?? []));
    },
    async contractsOf(hashes) {
      return [...contracts.values()].filter((row) => hashes.includes(row.contract_sha256));
    },
    async heardLast(processes, after) {
      return processes.flatMap(({ project, instanceId }) => {
        const times = [project, ""].map((one) => heard.get(`${one}\n${instanceId}`) ?? 0);
        const lastUnixMillis = Math.max(...times);
        return lastUnixMillis > after ? [{ project, instanceId, lastUnixMillis }] : [];
      });
    },
    async insertRuns(rows, token) {
      if (isNew("runs", token)) rows.forEach(putRun);
    },
    async insertContracts(rows) {
      for (const row of rows) contracts.set(`${row.project}\n${row.contract_sha256}`, row);
    },
    async insertLogs(rows, token) {
      if (isNew("logs", token)) logs.push(...rows);
    },
    async overdueRuns({ now: at, from, after }) {
      const isAfter = (row: RunRow): boolean =>
        after === undefined ||
        row.deadline_at > after.deadline_at ||
        (row.deadline_at === after.deadline_at && runKey(row) > runKey(after));
      return [...open.values()]
        .filter((row) => row.deadline_at < at && row.deadline_at >= from && isAfter(row))
        .toSorted((a, b) => a.deadline_at - b.deadline_at || (runKey(a) < runKey(b) ? -1 : 1))
        .slice(0, PAGE);
    },
    async runsStoredWithin({ from, to, notBefore }, after) {
      const names = new Map<string, StoredRun>();
      for (const { at, run, startMillis } of arrivals.slice(firstFrom(arrivals, from))) {
        if (at > to) break;
        if (startMillis >= notBefore) names.set(nameOf(run), run);
      }
      return [...names]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .filter(([name]) => after === undefined || name > nameOf(after))
        .slice(0, PAGE)
        .map(([, run]) => run);
    },
    unsettledRuns: async () => [],
    async insertBeat(beat) {
      const known = beats.get(beat.collector_id);
      if (known === undefined || known.heard_at <= beat.heard_at) beats.set(beat.collector_id, beat);
    },
    beatsSince: async (since) => [...beats.values()].filter((beat) => beat.heard_at >= since),
    async insertMonitorGaps(rows, token) {
      if (isNew("gaps", token)) gaps.push(...rows);
    },
    gapsSince: async (since) => gaps.filter((gap) => gap.ended_at > since),
  };
}

/** Index of the first entry at that time or later. */
function firstFrom(entries: readonly { readonly at: number }[], from: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.at ?? Infinity) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
