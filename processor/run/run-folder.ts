import { ATTR_PROJECT } from "../../instrumentation/semconv.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import { createBreather } from "../breather.ts";
import { isTraceRun, traceRunId } from "../evidence/trace-run-id.ts";
import { type JudgedRun, judgedRun } from "./judged-run.ts";
import { type LoadedRun, readPortion } from "./run-loader.ts";
import type { RunCensus, RunJudgingStore } from "./run-store.ts";
import { type AgentContracts, type SpansOfRun, storedFactsOf } from "./stored-facts.ts";

export interface RunToFold {
  readonly census: RunCensus;
  /** Records of it that passed their deadline, by project: without an end among the spans those count as abandoned. */
  readonly givenUp: readonly RunRow[];
}

/** Several of one run when projects share its ids; none when nothing of it is stored. */
export interface FoldedRun extends JudgedRun {
  /** Place of the run among those that were asked for. */
  readonly index: number;
  readonly project: string;
}

/** Reads the spans of runs, folds them into facts and judges these. What it takes and gives can be sent to a thread. */
export interface RunFolder {
  /** A portion: see `portionsOf`. Rejects when the store does. */
  fold(runs: readonly RunToFold[]): Promise<readonly FoldedRun[]>;
}

export type FoldingStore = Pick<RunJudgingStore, "spansOfRuns" | "contractsOf" | "heardLast" | "logsOfTraces">;

export interface RunFolderOptions {
  /** Default: turns for the event loop of this thread. */
  readonly breather?: typeof createBreather;
  /** What agents promise that other instrumentations watch. Default: nothing. */
  readonly contracts?: AgentContracts;
}

/** Folded and judged without a pause: about a millisecond each. */
const RUNS_AT_ONCE = 4;

/** In the thread that calls it. */
export const createRunFolder = (
  store: FoldingStore,
  { breather = createBreather, contracts = {} }: RunFolderOptions = {},
): RunFolder => ({
  async fold(runs) {
    const numbered = runs.map((run, index) => ({ ...run, index }));
    const folded: FoldedRun[] = [];
    await readPortion(store, numbered, async (loaded) => {
      const breathe = breather();
      const logs = await logsOf(store, loaded);
      const spansOfRuns = loaded.map((one) => ({
        ...one,
        ...logs(one),
        givenUp: one.run.givenUp.find(({ project }) => project === one.project),
      }));
      for (let at = 0; at < spansOfRuns.length; at += RUNS_AT_ONCE) {
        const some = spansOfRuns.slice(at, at + RUNS_AT_ONCE);
        const facts = await storedFactsOf(store, some, contracts);
        for (const [place, { run, project }] of some.entries()) {
          const one = facts[place];
          if (one !== undefined) folded.push({ ...judgedRun(one), index: run.index, project });
        }
        await breathe();
      }
    });
    return folded;
  },
});

const MAX_LOG_BYTES = 48 * 1024 * 1024;

/** The events of those runs that are traces of other instrumentations; each project's own. */
async function logsOf(
  store: FoldingStore,
  loaded: readonly LoadedRun<RunToFold & { readonly index: number }>[],
): Promise<(run: { readonly runId: string; readonly project: string }) => Pick<SpansOfRun, "logs" | "gap">> {
  const traceIds = loaded.map(({ run }) => run.census).filter(isTraceRun);
  if (traceIds.length === 0) return () => ({});
  const read = await store.logsOfTraces([...new Set(traceIds.map(({ traceId }) => traceId))], {
    maxBytes: MAX_LOG_BYTES,
  });
  if (read === "too_large") return () => ({ gap: "the events of the trace are too large to read" });
  const ofTrace = Map.groupBy(read, ({ TraceId }) => traceRunId(TraceId));
  return ({ runId, project }) => {
    const all = ofTrace.get(runId) ?? [];
    return { logs: all.filter((log) => ["", project].includes(log.ResourceAttributes[ATTR_PROJECT] ?? "")) };
  };
}
