import * as semconv from "../../instrumentation/semconv.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import type { TouchedRun } from "../native/index.ts";
import { RANK_ABANDONED } from "./evidence-rank.ts";
import { createRunQueue } from "./run-queue.ts";
import { createRunRecorder, type RunRecorderOptions } from "./run-recorder.ts";
import type { StoredRun } from "./run-store.ts";
import { storedFacts } from "./stored-facts.ts";

export interface RunAssemblerOptions extends RunRecorderOptions {
  /** How long an ended run waits for spans it announced and that have not come yet, milliseconds. */
  readonly settleMillis: number;
}

export interface RunAssembler extends Component {
  /** Looks at spans that have just become durable; returns at once. */
  observe(touched: readonly TouchedRun[]): void;
  /** Looks at a run again: after a restart, or because something suggests it. */
  revisit(run: StoredRun): void;
  /** Closes a run that passed its deadline, unless it ended meanwhile. Late evidence re-judges it. Returns at once. */
  abandon(row: RunRow): void;
  /** Resolves when nothing is waiting. */
  idle(): Promise<void>;
}

const SETTLE_STEP_MILLIS = 250;
/** Calls of a run that is not known to be open: perhaps late evidence, worth one look after the burst. */
const LATE_CALL_DELAY_MILLIS = 500;
const MAX_REMEMBERED = 100_000;

/** Events after which nothing more is expected of a run. */
const LAST_EVENTS: ReadonlySet<string> = new Set([
  semconv.RUN_EVENT_ROOT,
  semconv.RUN_EVENT_CLOSE,
  semconv.RUN_EVENT_PROCESS_EXIT,
  semconv.RUN_EVENT_PROCESS_DIED,
]);

/**
 * Turns stored spans into run records. Nothing is assembled in memory: a touched run is read back from the store and
 * folded anew, so restarts, duplicates and late spans need no code of their own. The verdict is a function of stored
 * facts, and its version is made from them.
 */
export function createRunAssembler(options: RunAssemblerOptions): RunAssembler {
  const { store, now } = options;
  const open = new Set<string>();
  const overdue = new Set<string>();
  const endSeenAt = new Map<string, number>();
  const record = createRunRecorder(options);
  const queue = createRunQueue({ now, work: refresh, onError: options.onError });

  async function refresh(run: StoredRun): Promise<void> {
    const [spans, current] = await Promise.all([store.spansOfRun(run.traceId), store.currentRun(run.runId)]);
    const givenUp = overdue.delete(run.runId) || current?.evidence_rank === RANK_ABANDONED;
    const facts = await storedFacts(store, { runId: run.runId, spans, givenUp: givenUp ? current : undefined });
    if (facts.factCount === 0 || facts.startUnixNano === null) return;
    if (facts.evidence.phase === "open") remember(open, run.runId);
    else open.delete(run.runId);
    if (!wasJudged(current) && waitsForSpans(facts)) return queue.add(run, SETTLE_STEP_MILLIS);
    endSeenAt.delete(run.runId);
    await record(facts, current);
  }

  /** The run's end announces how many calls it made; the exporter may still hold some of them. */
  function waitsForSpans(facts: RunFacts): boolean {
    const told = facts.evidence.closing?.toolCallCount ?? 0;
    if (facts.evidence.phase !== "ended" || facts.evidence.toolCalls.length >= told) return false;
    const seenAt = endSeenAt.get(facts.runId) ?? now();
    if (endSeenAt.size >= MAX_REMEMBERED) endSeenAt.clear();
    endSeenAt.set(facts.runId, seenAt);
    return now() - seenAt < options.settleMillis;
  }

  function touch({ runId, traceId, event }: TouchedRun): void {
    const run = { runId, traceId };
    if (LAST_EVENTS.has(event)) open.delete(runId);
    if (LAST_EVENTS.has(event) || event === semconv.RUN_EVENT_START) queue.add(run, 0);
    else if (!open.has(runId)) queue.add(run, LATE_CALL_DELAY_MILLIS);
  }

  return {
    start: async () => {},
    shutdown: () => queue.shutdown(),
    observe: (touched) => touched.forEach(touch),
    revisit: (run) => queue.add(run, 0),
    abandon(row) {
      open.delete(row.run_id);
      remember(overdue, row.run_id);
      queue.add({ runId: row.run_id, traceId: row.trace_id }, 0);
    },
    idle: () => queue.idle(),
  };
}

/** It waited once already; what comes now is late evidence. */
const wasJudged = (current: RunRow | undefined): boolean => (current?.evidence_rank ?? 0) > RANK_ABANDONED;

function remember(set: Set<string>, runId: string): void {
  if (set.size >= MAX_REMEMBERED) set.clear();
  set.add(runId);
}
