import * as semconv from "../../instrumentation/semconv.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";
import type { TouchedRun } from "../native/index.ts";
import { isTraceRun } from "../evidence/trace-run-id.ts";
import { createOpenTraces } from "./open-traces.ts";
import { LAST_EVENTS } from "./last-events.ts";
import { RANK_ABANDONED } from "./evidence-rank.ts";
import { createRecentMap } from "./recent-map.ts";
import { runKey } from "./run-key.ts";
import { createRunFolder, type RunFolder } from "./run-folder.ts";
import { portionsOf } from "./run-loader.ts";
import { createRunQueue } from "./run-queue.ts";
import { createRunRecorder, type RunRecorderOptions, type RunToRecord } from "./run-recorder.ts";
import type { RunCensus, StoredRun } from "./run-store.ts";
import { type Scheduler, systemScheduler } from "./scheduler.ts";
import { createSettling, type SeenCalls } from "./settling.ts";

export interface RunAssemblerOptions extends Omit<RunRecorderOptions, "now"> {
  /** How long an ended run waits for spans it announced and that have not come yet, milliseconds. */
  readonly settleMillis: number;
  /** Where spans become facts. Default: in this thread. */
  readonly folder?: RunFolder;
  /** Whether a trace without a run of ours is one: each is read and judged, which costs. Default true. */
  readonly readsTraces?: boolean;
  /** Default: the system's clock and timers. */
  readonly scheduler?: Scheduler;
  /** Runs that may wait for a look; more are found again by a sweep. Default 100,000. */
  readonly maxWaiting?: number;
  /** Runs of each kind that are remembered between looks; forgetting one costs a look. Default 100,000. */
  readonly maxRemembered?: number;
}

export interface RunAssembler extends Component {
  /**
   * Looks at spans that have just become durable; returns at once. `receivedSince`: when the first of them came in,
   * milliseconds since the epoch; default now.
   */
  observe(touched: readonly TouchedRun[], receivedSince?: number): void;
  /** Looks at a run again: because something found it in the store that came in at that time or later. */
  revisit(run: StoredRun, receivedSince?: number): void;
  /** Closes a run that passed its deadline, unless it ended meanwhile. Late evidence re-judges it. Returns at once. */
  abandon(row: RunRow): void;
  /** How many more runs may wait before touches are dropped and left to a sweep. */
  room(): number;
  /** All that was observed and came in before this time has been looked at; `Infinity` when nothing waits. */
  judgedThrough(): number;
  /** The time since which touches were dropped for want of room, once: whoever takes it finds the runs again. */
  takeDropped(): number | undefined;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
}

/** Calls of a run that is not known to be open: perhaps late evidence, worth one look after the burst. */
const LATE_CALL_DELAY_MILLIS = 500;
/** A call of a run whose end was seen: perhaps the one it waits for. */
const AWAITED_CALL_DELAY_MILLIS = 20;
/** Calls of an open run: its end will look at them, unless another collector has seen the end already. */
const OPEN_CALL_DELAY_MILLIS = 30_000;

/** A run, or several that share their ids in different projects, with what the store says of it. */
interface KnownRun {
  readonly census: RunCensus;
  /** Current records of that id, by project. */
  readonly current: ReadonlyMap<string, RunRow>;
}

/**
 * Turns stored spans into run records. Nothing is assembled in memory: touched runs are read back from the store, many
 * at once, and folded anew, so restarts, duplicates, late spans and other collectors need no code of their own. The
 * verdict is a function of stored facts, and its version is made from them. What is remembered between looks only saves
 * looks.
 */
export function createRunAssembler(options: RunAssemblerOptions): RunAssembler {
  const { store, scheduler = systemScheduler, maxRemembered = 100_000, readsTraces = true } = options;
  const folder = options.folder ?? createRunFolder(store, { breather: scheduler.breather });
  const open = createRecentMap<true>(maxRemembered);
  const overdue = createRecentMap<true>(maxRemembered);
  const settling = createSettling({ now: scheduler.now, settleMillis: options.settleMillis, max: maxRemembered });
  const openTraces = createOpenTraces(maxRemembered);
  const recorder = createRunRecorder({ ...options, now: scheduler.now });
  let dropped: number | undefined;
  const queue = createRunQueue({
    scheduler,
    work: look,
    onError: options.onError,
    onOverflow: (since) => (dropped = Math.min(since, dropped ?? Infinity)),
    ...(options.maxWaiting === undefined ? {} : { maxWaiting: options.maxWaiting }),
  });

  async function look(runs: readonly StoredRun[]): Promise<void> {
    const ids = [...new Set(runs.map(({ runId }) => runId))];
    const [census, rows] = await Promise.all([store.census(runs), store.currentRunsOf(ids)]);
    const rowsOfId = Map.groupBy(rows, (row) => row.run_id);
    const known = census.map((one): KnownRun => {
      const current = rowsOfId.get(one.runId) ?? [];
      return { census: one, current: new Map(current.map((row) => [row.project, row])) };
    });
    for (const portion of portionsOf(known.filter(saysMore))) await judgePortion(portion);
  }

  /** Whether the spans may say more than the records: a look at a run that has not changed costs no reading. */
  function saysMore({ census, current }: KnownRun): boolean {
    if (current.size !== 1) return true;
    const [row] = current.values();
    if (row === undefined || overdue.has(runKey(row)) || recorder.owes(row)) return true;
    const wait = settling.waitFor(census);
    if (wait !== undefined) {
      again(census, wait);
      return false;
    }
    if (row.evidence_rank === 0) {
      if (!census.ended) pollTrace(census);
      return census.ended;
    }
    return row.fact_count !== census.spans;
  }

  async function judgePortion(portion: readonly KnownRun[]): Promise<void> {
    const asked = portion.map(({ census, current }) => ({ census, givenUp: [...current.values()].filter(isGivenUp) }));
    const due: RunToRecord[] = [];
    for (const run of await folder.fold(asked)) {
      const known = portion[run.index];
      if (run.phase === "open") open.set(run.row.run_id, true);
      else open.delete(run.row.run_id);
      if (!run.isTold || known === undefined) continue;
      if (run.phase === "open") pollTrace(known.census);
      const current = known.current.get(run.project);
      if (waits(run, current, known.census)) continue;
      due.push({ run, current });
    }
    await recorder.record(due);
    for (const { run } of due) if (run.phase !== "open") overdue.delete(runKey(run.row));
  }

  const isGivenUp = (current: RunRow): boolean =>
    overdue.has(runKey(current)) || current.evidence_rank === RANK_ABANDONED;

  /** A run that was judged has waited once already; what comes now is late evidence. */
  function waits(run: SeenCalls, current: RunRow | undefined, census: RunCensus): boolean {
    const wasJudged = (current?.evidence_rank ?? 0) > RANK_ABANDONED;
    const wait = wasJudged ? undefined : settling.begin(run, census);
    if (wait !== undefined) again(census, wait);
    else settling.end(run, census);
    return wait !== undefined;
  }

  const again = ({ runId, traceId }: StoredRun, delayMillis: number): void =>
    queue.add({ runId, traceId }, { delayMillis });

  /** The span that ends a trace need be no step, and then nobody tells that it came. */
  function pollTrace({ runId, traceId }: StoredRun): void {
    if (!isTraceRun({ runId, traceId })) return;
    const delayMillis = openTraces.nextPause(traceId);
    queue.add({ runId, traceId }, { delayMillis, since: scheduler.now(), background: true });
  }

  function touchTrace({ runId, traceId }: StoredRun, since: number): void {
    if (openTraces.hasOwnRun(traceId)) return;
    openTraces.touched(traceId);
    queue.add({ runId, traceId }, { delayMillis: LATE_CALL_DELAY_MILLIS, since });
  }

  function observe(touched: readonly TouchedRun[], since: number): void {
    if (readsTraces) noteOwnRuns(touched);
    for (const run of touched) {
      if (!isTraceRun(run)) touch(run, since);
      else if (readsTraces) touchTrace(run, since);
    }
  }

  /** Steps of other instrumentations within a run of ours belong to it, whichever of them came first. */
  function noteOwnRuns(touched: readonly TouchedRun[]): void {
    let last = "";
    for (const run of touched) {
      if (run.traceId === last || isTraceRun(run)) continue;
      openTraces.ownRunSeen(run.traceId);
      last = run.traceId;
    }
  }

  function touch({ runId, traceId, event }: TouchedRun, since: number): void {
    const run = { runId, traceId };
    if (LAST_EVENTS.has(event)) open.delete(runId);
    if (LAST_EVENTS.has(event) || event === semconv.RUN_EVENT_START) return queue.add(run, { delayMillis: 0, since });
    if (open.has(runId)) return queue.add(run, { delayMillis: OPEN_CALL_DELAY_MILLIS, since, background: true });
    const delayMillis = settling.has(run) ? AWAITED_CALL_DELAY_MILLIS : LATE_CALL_DELAY_MILLIS;
    queue.add(run, { delayMillis, since });
  }

  return {
    start: async () => {},
    shutdown: () => queue.shutdown(),
    observe: (touched, receivedSince = scheduler.now()) => observe(touched, receivedSince),
    revisit(run, receivedSince = scheduler.now()) {
      if (readsTraces || !isTraceRun(run)) queue.add(run, { delayMillis: 0, since: receivedSince });
    },
    abandon(row) {
      overdue.set(runKey(row), true);
      queue.add({ runId: row.run_id, traceId: row.trace_id }, { delayMillis: 0, since: scheduler.now() });
    },
    room: () => queue.room(),
    judgedThrough: () => Math.min(dropped ?? Infinity, queue.since()),
    takeDropped() {
      const since = dropped;
      dropped = undefined;
      return since;
    },
    idle: () => queue.idle(),
  };
}
