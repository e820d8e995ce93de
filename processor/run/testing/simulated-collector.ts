import type { SpanRow } from "../../clickhouse/rows.ts";
import { touchedRunFrom } from "../../native/index.ts";
import { createCollectorHeartbeat } from "../collector-heartbeat.ts";
import { createRunAssembler } from "../run-assembler.ts";
import { createRunSweep } from "../run-sweep.ts";
import type { Scheduler } from "../scheduler.ts";
import { createWatchdog } from "../watchdog.ts";
import type { SimulatedStore } from "./memory-run-store.ts";
import type { VirtualScheduler } from "./virtual-scheduler.ts";

export interface SimulatedCollectorOptions {
  readonly id: string;
  readonly scheduler: VirtualScheduler;
  /** The store as this collector reaches it: slow, and sometimes not at all. */
  readonly store: SimulatedStore;
  readonly graceMillis: number;
  readonly scanMillis: number;
  /** Small, so that touches are dropped and swept. */
  readonly maxWaiting: number;
}

/** One collector: a spool that survives, and the real run code over it, which dies with each crash. */
export interface SimulatedCollector {
  isUp(): boolean;
  start(): void;
  /** As SIGKILL: what is under way ends nowhere; what was acknowledged stays in the spool. */
  crash(): void;
  /** Acknowledges a span, or refuses it while it is down. */
  receive(span: SpanRow): boolean;
  /** Receive times of spans that are acknowledged and not known to be stored. */
  unstored(): readonly { readonly span: SpanRow; readonly at: number }[];
  problems(): number;
  /** When everything that was acknowledged up to a time was stored; that time itself when nothing was late. */
  storedBy(time: number): number;
}

interface Spooled {
  readonly span: SpanRow;
  readonly at: number;
}

const BATCH = 2_000;
/** Three missed ones make a gap. */
export const BEAT_MILLIS = 5_000;
export const AFTER_GAP_MILLIS = 30_000;

export function createSimulatedCollector(options: SimulatedCollectorOptions): SimulatedCollector {
  const { id, scheduler } = options;
  const spool: Spooled[] = [];
  /** Receive time of the oldest span of each stored batch, and when it was stored; both only grow. */
  const storings: { readonly from: number; readonly at: number }[] = [];
  let life: { isOver: boolean } = { isOver: true };
  let batches = 0;
  let problems = 0;

  /** Time and store of one life: after its end no timer fires, no answer comes. */
  function worldOf(own: { readonly isOver: boolean }): { scheduler: Scheduler; store: SimulatedStore } {
    const ofLife: Scheduler = {
      now: scheduler.now,
      breather: scheduler.breather,
      after: (millis, work) =>
        scheduler.after(millis, () => {
          if (!own.isOver) work();
        }),
    };
    const store = new Proxy(options.store, {
      get: (target, name: keyof SimulatedStore) => {
        return (...args: unknown[]) =>
          new Promise((resolve, reject) => {
            if (own.isOver) return;
            const call = target[name] as (...all: unknown[]) => Promise<unknown>;
            call(...args).then(
              (value) => own.isOver || resolve(value),
              (error: unknown) => own.isOver || reject(error as Error),
            );
          });
      },
    });
    return { scheduler: ofLife, store };
  }

  function start(): void {
    const own = { isOver: false };
    life = own;
    const { scheduler: ofLife, store } = worldOf(own);
    const common = { collectorId: id, store, scheduler: ofLife, onError: () => void problems++ };
    const { graceMillis, maxWaiting } = options;
    const assembler = createRunAssembler({
      ...common,
      graceMillis,
      settleMillis: 10_000,
      maxWaiting,
      maxRemembered: 200,
    });
    const sweep = createRunSweep({ ...common, assembler, sweepMillis: 7 * 86_400_000, intervalMillis: 15_000 });
    const storedThrough = (): number => spool[0]?.at ?? scheduler.now();
    const heartbeat = createCollectorHeartbeat({
      ...common,
      storedThrough,
      intervalMillis: BEAT_MILLIS,
      afterGapMillis: AFTER_GAP_MILLIS,
      judgedThrough: () => Math.min(assembler.judgedThrough(), sweep.sweptThrough()),
    });
    const watchdog = createWatchdog({
      ...common,
      overdue: (page) => store.overdueRuns(page),
      abandon: (run) => assembler.abandon(run),
      clearance: () => heartbeat.clearance(),
      scanMillis: options.scanMillis,
      quietMillis: 5_000,
    });
    const startAll = async (): Promise<void> => {
      for (const component of [assembler, sweep, heartbeat, watchdog]) await component.start();
    };
    /** A start that fails is tried again, as by whatever runs the service. */
    const up = (): void => void startAll().catch(() => own.isOver || ofLife.after(1_000, restart));
    const restart = (): void => {
      crash();
      start();
    };
    up();
    drain({ own, ofLife, store }, (spans, since) => {
      assembler.observe(
        spans.map(touchedRunFrom).filter((run) => run !== undefined),
        since,
      );
    });
  }

  interface Draining {
    readonly own: { readonly isOver: boolean };
    readonly ofLife: Scheduler;
    readonly store: SimulatedStore;
  }

  /** The same batch under the same name until it is stored; then touched, then committed. */
  function drain({ own, ofLife, store }: Draining, observe: (spans: readonly SpanRow[], since: number) => void): void {
    const next = (millis: number): void => void ofLife.after(millis, step);
    const step = (): void => {
      const batch = pending ?? { name: `${id}-${batches++}`, entries: spool.slice(0, BATCH) };
      if (batch.entries.length === 0) return next(1_000);
      pending = batch;
      const spans = batch.entries.map(({ span }) => span);
      store.insertSpans(spans, batch.name).then(
        () => {
          if (own.isOver) return;
          observe(spans, batch.entries[0]?.at ?? 0);
          spool.splice(0, batch.entries.length);
          storings.push({ from: batch.entries[0]?.at ?? 0, at: scheduler.now() });
          pending = undefined;
          next(50);
        },
        () => next(1_000),
      );
    };
    next(0);
  }
  let pending: { readonly name: string; readonly entries: readonly Spooled[] } | undefined;

  function crash(): void {
    life.isOver = true;
  }

  return {
    isUp: () => !life.isOver,
    start,
    crash,
    receive(span) {
      if (life.isOver) return false;
      spool.push({ span, at: scheduler.now() });
      return true;
    },
    unstored: () => spool,
    problems: () => problems,
    storedBy(time) {
      let [low, high] = [0, storings.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((storings[middle]?.from ?? 0) <= time) low = middle + 1;
        else high = middle;
      }
      return Math.max(time, storings[low - 1]?.at ?? time);
    },
  };
}
