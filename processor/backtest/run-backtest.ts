import type { RunContract } from "../../instrumentation/contract/contract.ts";
import { createHistoryReader } from "../clickhouse/history-reader.ts";
import { createStore, type StoreOptions } from "../clickhouse/store.ts";
import { startBacktestThread } from "./backtest-thread.ts";
import { type Finding, newestOf } from "./finding.ts";
import type { HistoryScope } from "./history.ts";
import type { SlicePart } from "./judge-slice.ts";
import { bucketNanos, planSlices, type Slice } from "./plan-slices.ts";
import { DEFAULT_LIMITS, type SliceLimits } from "./portions.ts";
import { createSliceJudge } from "./slice-judge.ts";
import { addTallies, EMPTY_TALLY, type Tally } from "./tally.ts";

export interface BacktestOptions {
  readonly store: StoreOptions;
  readonly scope: HistoryScope;
  /** Judges in place of the recorded ones. */
  readonly contract: RunContract;
  /** Runs that started before are left out, milliseconds since the epoch. */
  readonly sinceUnixMillis: number;
  /** Threads that read and judge, each with one query at a time. */
  readonly threads: number;
  /** So many record rows the calling thread judges by itself, sooner than another one is started. Default 2,000. */
  readonly fewRows?: number;
  /** Findings to keep, the newest. All are counted. */
  readonly maxFindings: number;
  /** Hears of every finding, in no order. Awaited: who is slow slows the work down, and nothing piles up. */
  readonly onFindings?: (findings: readonly Finding[]) => Promise<void>;
  readonly onProgress?: (progress: BacktestProgress) => void;
  /** How much is in hand at a time. */
  readonly limits?: Partial<SliceLimits>;
  readonly signal?: AbortSignal;
}

export interface BacktestProgress {
  readonly tally: Tally;
  /** Of the record rows that were there at the start, 0 to 1. */
  readonly share: number;
}

export interface BacktestResult extends BacktestProgress {
  /** The newest, newest first. */
  readonly findings: readonly Finding[];
  /** The signal came before the end: the rest was not looked at. */
  readonly interrupted: boolean;
}

/**
 * Judges stored history under a contract that it did not have. Memory is bounded by threads and limits, whatever the number
 * of runs. Rejects when the store does.
 */
export async function runBacktest(options: BacktestOptions): Promise<BacktestResult> {
  const { signal = new AbortController().signal } = options;
  const state = createState(options);
  try {
    const slices = signal.aborted ? [] : await plan(options, signal);
    state.begin(slices);
    await judgeSlices(slices, { options, state, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return state.result(signal.aborted);
}

async function plan({ store: storeOptions, scope, sinceUnixMillis, limits }: BacktestOptions, signal: AbortSignal) {
  const store = createStore(storeOptions);
  return endingWith(
    signal,
    () => store.close(),
    async (): Promise<readonly Slice[]> => {
      const history = createHistoryReader(store);
      const extent = await history.extent(scope, sinceUnixMillis);
      if (extent === undefined) return [];
      const widthNanos = bucketNanos(extent);
      const { maxRows } = { ...DEFAULT_LIMITS, ...limits };
      return planSlices(extent, await history.buckets(scope, extent, widthNanos), { widthNanos, maxRows });
    },
  );
}

interface Work {
  readonly options: BacktestOptions;
  readonly state: ReturnType<typeof createState>;
  readonly signal: AbortSignal;
}

async function judgeSlices(slices: readonly Slice[], { options, state, signal }: Work): Promise<void> {
  const { store, scope, contract, limits, onFindings, maxFindings, fewRows = 2_000 } = options;
  const kept = onFindings === undefined ? maxFindings : Infinity;
  const data = { store, scope, contract, limits: { ...DEFAULT_LIMITS, ...limits, maxFindings: kept } };
  const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  const judges =
    rows <= fewRows
      ? [createSliceJudge(data)]
      : Array.from({ length: Math.min(options.threads, slices.length) }, () => startBacktestThread(data));
  const waiting = slices.values();
  await endingWith(
    signal,
    () => Promise.all(judges.map((judge) => judge.end())),
    () =>
      Promise.all(
        judges.map(async (judge) => {
          // One iterator for all of them: whoever is free takes the next slice.
          for (const slice of waiting) {
            await judge.judge(slice, state.add);
            state.finish(slice);
          }
        }),
      ),
  );
}

/** Ends what is used when the work is done, and at once when the signal comes. */
async function endingWith<Result>(
  signal: AbortSignal,
  end: () => Promise<unknown>,
  work: () => Promise<Result>,
): Promise<Result> {
  const onAbort = (): void => void end().catch(() => {});
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    signal.removeEventListener("abort", onAbort);
    await end();
  }
}

function createState({ maxFindings, onFindings, onProgress }: BacktestOptions) {
  let tally = EMPTY_TALLY;
  let findings: readonly Finding[] = [];
  let rows = 0;
  let rowsDone = 0;
  /** A slice that is not finished counts by its runs: at most as much as it will. */
  const share = (): number =>
    rows === 0 ? 1 : Math.min(1, Math.max(rowsDone, tally.runs + tally.open + tally.gone) / rows);
  return {
    begin: (slices: readonly Slice[]): void => {
      rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
    },
    add: async (part: SlicePart): Promise<void> => {
      tally = addTallies([tally, part.tally]);
      findings = newestOf(findings, part.findings, maxFindings);
      onProgress?.({ tally, share: share() });
      if (part.findings.length > 0) await onFindings?.(part.findings);
    },
    finish: (slice: Slice): void => {
      rowsDone += slice.rows;
      onProgress?.({ tally, share: share() });
    },
    result: (interrupted: boolean): BacktestResult => ({
      tally,
      findings,
      interrupted,
      // Nothing was begun: nothing is known of how much there is.
      share: interrupted && rows === 0 ? 0 : share(),
    }),
  };
}
