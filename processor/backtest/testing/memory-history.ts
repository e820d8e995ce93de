import * as semconv from "../../../instrumentation/semconv.ts";
import type { ContractRow } from "../../clickhouse/run-rows.ts";
import type { SpanRow } from "../../clickhouse/rows.ts";
import { attribute } from "../../evidence/span-attributes.ts";
import { traceRunId } from "../../evidence/trace-run-id.ts";
import type { History, HistoryRun, HistoryScope, KeyRange, RunKey } from "../history.ts";

/** One version of a run's record. */
export interface StoredVersion extends HistoryRun {
  readonly agent: string;
  readonly runType: string;
  readonly version: number;
}

export interface StoredHistory {
  readonly versions: readonly StoredVersion[];
  readonly spans: readonly SpanRow[];
  readonly contracts: readonly Pick<ContractRow, "contract_sha256" | "project" | "contract">[];
}

const before = (a: RunKey, b: RunKey): boolean => {
  const [x, y] = [BigInt(a.startedAt), BigInt(b.startedAt)];
  if (x !== y) return x < y;
  return a.project === b.project ? a.runId < b.runId : a.project < b.project;
};

const inScope =
  ({ agent, runType, project }: HistoryScope) =>
  (one: StoredVersion): boolean =>
    one.agent === agent && one.runType === runType && (project === undefined || one.project === project);

const inRange =
  ({ from, to }: KeyRange) =>
  (one: RunKey): boolean =>
    !before(one, from) && before(one, to);

/** What the store answers, from lists. */
export function createMemoryHistory({ versions, spans, contracts }: StoredHistory): History {
  const scoped = (scope: HistoryScope) => versions.filter(inScope(scope));
  const nameOf = ({ project, runId }: RunKey): string => `${project}\n${runId}`;
  const runOf = (span: SpanRow): string => attribute(span, semconv.ATTR_RUN_ID);
  return {
    async extent(scope, since) {
      const times = scoped(scope)
        .map(({ startedAt }) => BigInt(startedAt))
        .filter((time) => time >= BigInt(since) * 1_000_000n)
        .sort((a, b) => (a < b ? -1 : 1));
      return times.length === 0
        ? undefined
        : { rows: times.length, first: String(times[0]), last: String(times.at(-1)) };
    },
    async buckets(scope, { first, last }, width) {
      const inside = scoped(scope).filter(
        ({ startedAt }) => BigInt(startedAt) >= BigInt(first) && BigInt(startedAt) <= BigInt(last),
      );
      const groups = Map.groupBy(inside, ({ startedAt }) => Number((BigInt(startedAt) - BigInt(first)) / width));
      return Array.from(groups, ([bucket, all]) => ({ bucket, rows: all.length })).sort((a, b) => a.bucket - b.bucket);
    },
    async keyAfter(scope, range, rows) {
      const keys = scoped(scope).filter(inRange(range));
      const { startedAt, project, runId } = keys.sort((a, b) => (before(a, b) ? -1 : 1))[rows] ?? {};
      return startedAt === undefined || project === undefined || runId === undefined
        ? undefined
        : { startedAt, project, runId };
    },
    async runs(scope, range) {
      const current = [...Map.groupBy(versions, nameOf).values()].flatMap((all) =>
        all.sort((a, b) => b.version - a.version).slice(0, 1),
      );
      return current
        .filter(inScope(scope))
        .filter(inRange(range))
        .sort((a, b) => (before(a, b) ? -1 : 1));
    },
    async spans(scope, range, { window, maxBytes }) {
      const ids = new Set(
        scoped(scope)
          .filter(inRange(range))
          .map(({ runId }) => runId),
      );
      const found = spans.filter(
        (span) => ids.has(runOf(span)) && BigInt(span.Timestamp) >= window.from && BigInt(span.Timestamp) <= window.to,
      );
      return JSON.stringify(found).length > maxBytes ? "too_large" : found;
    },
    async spansOfRuns(runs) {
      const asked = new Set(runs.map(({ traceId, runId }) => `${traceId}/${runId}`));
      return spans.filter((span) => asked.has(`${span.TraceId}/${runOf(span) || traceRunId(span.TraceId)}`));
    },
    logsOfTraces: async () => [],
    contractsOf: async (hashes) => contracts.filter((one) => hashes.includes(one.contract_sha256)),
  };
}
