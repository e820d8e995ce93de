import * as semconv from "../../../instrumentation/semconv.ts";
import type { SpanRow } from "../../clickhouse/rows.ts";
import type { RunRow } from "../../clickhouse/run-rows.ts";
import { attribute } from "../../evidence/span-attributes.ts";
import { LAST_EVENTS } from "../last-events.ts";
import { createMemoryRunStore, type MemoryRunStore, type SimulatedStore } from "./memory-run-store.ts";
import { createRandom, type Random } from "./random.ts";
import { createSimulatedCollector, type SimulatedCollector } from "./simulated-collector.ts";
import { intruderOf, simulatedRun, type SimulatedRun } from "./simulated-run.ts";
import { createVirtualScheduler, type VirtualScheduler } from "./virtual-scheduler.ts";

export interface SimulationOptions {
  readonly runs: number;
  readonly seed: number;
  /** How late a span may come, milliseconds. */
  readonly maxLateMillis: number;
}

export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** A verdict of abandonment that was stored though an end lay acknowledged with a live collector. */
export interface FalseAbandonment {
  readonly row: RunRow;
  readonly acknowledgedAt: number;
}

export interface SimulationResult {
  readonly runs: readonly SimulatedRun[];
  readonly store: MemoryRunStore;
  /** Times in which no collector could receive and store, as they truly were. */
  readonly away: readonly Interval[];
  readonly falseAbandonments: readonly FalseAbandonment[];
  readonly unstored: number;
  readonly restarts: number;
  readonly storeProblems: number;
  /** When all that any collector had acknowledged up to a time was stored. */
  storedBy(time: number): number;
}

export const START = 1_700_000_000_000;
export const GRACE_MILLIS = 10_000;
export const SCAN_MILLIS = 15_000;
const MINUTE = 60_000;
/** Runs start within this time. */
const ARRIVALS_MILLIS = 60 * MINUTE;
const STORE_OUTAGE: Interval = { from: START + 20 * MINUTE, to: START + 30 * MINUTE };
const ALL_DOWN: Interval = { from: START + 42 * MINUTE, to: START + 47 * MINUTE };
const RESTART_EVERY_MILLIS = MINUTE;
const DOWN_MILLIS = 4_000;
export const LONGEST_DOWN_MILLIS = DOWN_MILLIS + 1_000;
const COLLECTORS = 3;
/** Each collector in its turn loses its way to the store for less time than it takes to count as dead. */
const CUT_OFF_EVERY_MILLIS = 4 * MINUTE;
export const CUT_OFF_MILLIS = 40_000;
const isCutOff = (index: number, time: number): boolean =>
  (time - START + index * CUT_OFF_MILLIS) % CUT_OFF_EVERY_MILLIS < CUT_OFF_MILLIS;
const within = (time: number, { from, to }: Interval): boolean => time >= from && time < to;

/**
 * Three collectors on one store through a day and more: spans are lost, sent twice, out of order and up to a day late,
 * the agents' clocks are wrong, each collector is killed every minute and loses its way to the store now and then, the store is away
 * for ten minutes and fails at random before and after it did its work, and for five minutes nobody is there.
 */
export async function simulate({ runs: count, seed, maxLateMillis }: SimulationOptions): Promise<SimulationResult> {
  const random = createRandom(seed);
  const scheduler = createVirtualScheduler(START);
  const store = createMemoryRunStore(scheduler.now);
  const falseAbandonments: FalseAbandonment[] = [];
  const counts = { restarts: 0, storeProblems: 0 };
  const collectors: SimulatedCollector[] = [];
  const storeFor = (index: number): SimulatedStore => {
    const isAway = (): boolean => within(scheduler.now(), STORE_OUTAGE) || isCutOff(index, scheduler.now());
    const shaky = shakyStore({ store, random, scheduler, isAway, onProblem: () => void counts.storeProblems++ });
    return {
      ...shaky,
      async insertRuns(rows, token) {
        if (!isAway()) for (const row of rows) falseAbandonments.push(...acknowledgedEnds(row, collectors));
        await shaky.insertRuns(rows, token);
      },
    };
  };
  for (let index = 0; index < COLLECTORS; index++) {
    const watched = storeFor(index);
    // Full after an outage, not all the time.
    const maxWaiting = Math.max(200, count / 25);
    const options = { scheduler, store: watched, graceMillis: GRACE_MILLIS, scanMillis: SCAN_MILLIS };
    collectors.push(createSimulatedCollector({ id: `collector-${index}`, ...options, maxWaiting }));
  }
  for (const [index, collector] of collectors.entries()) {
    collector.start();
    const restart = (): void => {
      collector.crash();
      counts.restarts++;
      const down = within(scheduler.now(), ALL_DOWN) ? ALL_DOWN.to - scheduler.now() : DOWN_MILLIS;
      scheduler.after(down + random.below(1_000), () => {
        collector.start();
        scheduler.after(RESTART_EVERY_MILLIS, restart);
      });
    };
    scheduler.after(RESTART_EVERY_MILLIS + (index * RESTART_EVERY_MILLIS) / COLLECTORS, restart);
    // The restart that falls into the time takes the collector down; whoever is up at its begin goes with it.
    scheduler.after(ALL_DOWN.from - START, () => collector.crash());
  }
  const runs: SimulatedRun[] = [];
  for (let number = 0; number < count; number++) {
    const startAt = START + MINUTE + Math.floor((number / count) * ARRIVALS_MILLIS);
    const run = simulatedRun(random, number, startAt);
    runs.push(run);
    if (run.project !== "" && random.chance(0.02)) runs.push(intruderOf(run));
  }
  for (const run of runs) {
    const first = run.spans[0]?.sentAt ?? START;
    scheduler.after(first - START, () => send(run, { random, scheduler, collectors, maxLateMillis }));
  }
  await scheduler.runUntil(START + ARRIVALS_MILLIS + maxLateMillis + 60 * MINUTE);
  const unstored = collectors.reduce((sum, collector) => sum + collector.unstored().length, 0);
  const storedBy = (time: number): number => Math.max(...collectors.map((collector) => collector.storedBy(time)));
  return { runs, store, away: [STORE_OUTAGE, ALL_DOWN], falseAbandonments, unstored, storedBy, ...counts };
}

const isEnd = (span: SpanRow): boolean =>
  [semconv.RUN_EVENT_ROOT, semconv.RUN_EVENT_CLOSE].includes(attribute(span, semconv.ATTR_RUN_EVENT)) &&
  LAST_EVENTS.has(attribute(span, semconv.ATTR_RUN_EVENT));

function acknowledgedEnds(row: RunRow, collectors: readonly SimulatedCollector[]): FalseAbandonment[] {
  if (row.failure_class !== "run_abandoned") return [];
  return collectors
    .filter((collector) => collector.isUp())
    .flatMap((collector) => collector.unstored())
    .filter(({ span, at }) => span.TraceId === row.trace_id && isEnd(span) && at < row.judged_at)
    .filter(({ span }) => (span.ResourceAttributes[semconv.ATTR_PROJECT] ?? "") === row.project)
    .map(({ at }) => ({ row, acknowledgedAt: at }));
}

interface World {
  readonly random: Random;
  readonly scheduler: VirtualScheduler;
  readonly collectors: readonly SimulatedCollector[];
  readonly maxLateMillis: number;
}

function send(run: SimulatedRun, world: World): void {
  const { random, scheduler } = world;
  for (const { sentAt, span } of run.spans) {
    if (random.chance(0.01) && run.isLossy) continue;
    const copies = random.chance(0.3) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = random.chance(0.03) ? random.below(world.maxLateMillis) : random.below(2_000);
      scheduler.after(sentAt - scheduler.now() + late, () => deliver(span, world));
    }
  }
}

/** As exporters do: another try elsewhere until somebody takes it. */
function deliver(span: SpanRow, world: World): void {
  const collector = world.collectors[world.random.below(world.collectors.length)];
  if (collector?.receive(span) === true) return;
  world.scheduler.after(500 + world.random.below(3_000), () => deliver(span, world));
}

interface Shaky {
  readonly store: MemoryRunStore;
  readonly random: Random;
  readonly scheduler: VirtualScheduler;
  readonly isAway: () => boolean;
  readonly onProblem: () => void;
}

/** Every call takes its time; some fail before they had an effect, some after, all while the store is away. */
function shakyStore({ store, random, scheduler, isAway, onProblem }: Shaky): SimulatedStore {
  const problem = (what: string): Error => {
    onProblem();
    return new Error(what);
  };
  const shaky =
    <Args extends readonly unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      await scheduler.sleep(2 + random.below(40));
      if (isAway()) throw problem("the store is away");
      if (random.chance(0.003)) throw problem("the connection was refused");
      const answer = await call(...args);
      await scheduler.sleep(2 + random.below(40));
      if (random.chance(0.003)) throw problem("the connection was reset");
      return answer;
    };
  return {
    census: shaky(store.census),
    spansOfRuns: shaky(store.spansOfRuns),
    logsOfTraces: shaky(store.logsOfTraces),
    currentRunsOf: shaky(store.currentRunsOf),
    contractsOf: shaky(store.contractsOf),
    heardLast: shaky(store.heardLast),
    insertRuns: shaky(store.insertRuns),
    insertContracts: shaky(store.insertContracts),
    insertLogs: shaky(store.insertLogs),
    overdueRuns: shaky(store.overdueRuns),
    runsStoredWithin: shaky(store.runsStoredWithin),
    unsettledRuns: shaky(store.unsettledRuns),
    insertBeat: shaky(store.insertBeat),
    beatsSince: shaky(store.beatsSince),
    insertMonitorGaps: shaky(store.insertMonitorGaps),
    gapsSince: shaky(store.gapsSince),
    insertSpans: shaky(store.insertSpans),
  };
}
