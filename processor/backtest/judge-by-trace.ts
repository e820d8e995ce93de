import type { RunContract } from "../../instrumentation/contract/contract.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow } from "../clickhouse/rows.ts";
import { isTraceRun } from "../evidence/trace-run-id.ts";
import { type LoadedRun, readPortion } from "../run/run-loader.ts";
import type { RunCensus } from "../run/run-store.ts";
import type { History, HistoryRun } from "./history.ts";
import { type JudgedAgain, judgeAgain } from "./judge-again.ts";

export interface ByTrace {
  readonly history: Pick<History, "spansOfRuns" | "logsOfTraces">;
  readonly contract: RunContract;
  /** Of the answer with the events. */
  readonly maxBytes: number;
  readonly recorded: (run: HistoryRun) => RunContract | null;
}

/** Their ids travel in the request, which has no room for more. */
const BY_TRACE_AT_ONCE = 400;

/**
 * The way the service reads: exact, and slower. For long runs, those with spans outside of their record's time, and traces
 * of other instrumentations, whose spans name no run.
 */
export async function judgeByTrace(runs: readonly HistoryRun[], byTrace: ByTrace) {
  const judged = new Map<HistoryRun, JudgedAgain>();
  for (let at = 0; at < runs.length; at += BY_TRACE_AT_ONCE) {
    const asked = runs.slice(at, at + BY_TRACE_AT_ONCE).map((run) => ({ run, census: censusOf(run) }));
    await readPortion(byTrace.history, asked, async (loaded) => {
      const own = loaded.filter(({ run: { run }, project }) => project === run.project);
      for (const [run, again] of await judgeLoaded(own, byTrace)) judged.set(run, again);
    });
  }
  return judged;
}

type Loaded = LoadedRun<{ readonly run: HistoryRun; readonly census: RunCensus }>;

/** Traces of other instrumentations tell of their calls in events, too. */
async function judgeLoaded(
  loaded: readonly Loaded[],
  byTrace: ByTrace,
): Promise<readonly (readonly [HistoryRun, JudgedAgain])[]> {
  const traceIds = loaded.flatMap(({ run: { run } }) => (isTraceRun(run) ? [run.traceId] : []));
  const { history, contract, maxBytes, recorded } = byTrace;
  const logs = traceIds.length === 0 ? [] : await history.logsOfTraces(traceIds, { maxBytes });
  if (logs === "too_large" && loaded.length > 1) {
    const middle = loaded.length >> 1;
    const first = await judgeLoaded(loaded.slice(0, middle), byTrace);
    return [...first, ...(await judgeLoaded(loaded.slice(middle), byTrace))];
  }
  const ofTraces = Map.groupBy(logs === "too_large" ? [] : logs, ({ TraceId }) => TraceId);
  return loaded.map(({ run: { run }, spans, gap: spansGap }) => {
    const gap = logs === "too_large" ? "the events of the trace are too large to read" : spansGap;
    const own = (ofTraces.get(run.traceId) ?? []).filter((log) => ["", run.project].includes(projectOfLog(log)));
    const lacks = gap === undefined ? {} : { gap };
    return [run, judgeAgain(contract, { run, spans, logs: own, recorded: recorded(run), ...lacks })];
  });
}

const projectOfLog = ({ ResourceAttributes }: LogRow): string => ResourceAttributes[semconv.ATTR_PROJECT] ?? "";

const censusOf = ({ runId, traceId, factCount }: HistoryRun): RunCensus => ({
  runId,
  traceId,
  spans: factCount,
  ended: false,
});
