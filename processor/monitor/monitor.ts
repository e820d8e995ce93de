import type { AlertRow } from "../clickhouse/monitor-rows.ts";
import type { MonitorStore } from "../clickhouse/monitor-store.ts";
import type { Component } from "../component.ts";
import { type Scheduler, systemScheduler } from "../run/scheduler.ts";
import { createAlertRaiser } from "./alert-raiser.ts";
import type { CursorFile } from "./cursor-file.ts";
import { isLeader } from "./leadership.ts";
import type { Outbox } from "./outbox.ts";
import { type MonitorReading, readMonitor } from "./reading.ts";

export interface MonitorOptions {
  readonly collectorId: string;
  readonly store: MonitorStore;
  readonly outbox: Outbox;
  readonly cursor: CursorFile;
  readonly intervalMillis: number;
  readonly runWindowSeconds: number;
  /** How far back the first bad run of a class is looked for, milliseconds. */
  readonly lookBackMillis: number;
  /** Alerts that may fire at a time. Default 2,000. */
  readonly maxFiring?: number;
  readonly scheduler?: Scheduler;
  readonly onError: (what: string, error: unknown) => void;
}

export interface MonitorState {
  /** The last look that was complete. */
  readonly reading: MonitorReading | undefined;
  /** Of the last look, while it failed. */
  readonly problem: string | undefined;
  /** Why alerts are not raised, if so. */
  readonly alerting: string | undefined;
  /** Whether this collector raises them. */
  readonly leading: boolean;
}

export type ResolveOutcome = "resolved" | "unknown" | "not_firing" | "full";

/** Looks at the store every few seconds: what the gate and the metrics tell comes from its last look. */
export interface Monitor extends Component {
  state(): MonitorState;
  /** One look, at once; for tests and for whoever cannot wait. */
  look(): Promise<void>;
  /** By a person. Rejects when the store or the disk fails. */
  resolve(alertId: string, by: string, reason: string): Promise<ResolveOutcome>;
  alerts(resolvedSince: number): Promise<readonly AlertRow[]>;
}

/** A run is judged before its row can be read, and clocks of collectors differ. */
const OVERLAP_MILLIS = 300_000;
/** What nobody looked through before, and what another collector had looked through, is looked through again so far. */
const FIRST_LOOK_MILLIS = 86_400_000;
const BEATS_MILLIS = 60_000;

export function createMonitor(options: MonitorOptions): Monitor {
  const { store, outbox, cursor, scheduler = systemScheduler, intervalMillis, lookBackMillis } = options;
  const raiser = createAlertRaiser({ ...options, now: () => scheduler.now() });
  let state: MonitorState = { reading: undefined, problem: undefined, alerting: undefined, leading: false };
  let lookedThrough: number | undefined;
  let looking: Promise<void> | undefined;
  let cancel = (): void => {};
  let running = false;

  async function lookOnce(): Promise<void> {
    const now = scheduler.now();
    try {
      const reading = await readMonitor(store, { now, runWindowSeconds: options.runWindowSeconds });
      state = { ...state, reading, problem: undefined };
    } catch (error) {
      state = { ...state, problem: messageOf(error) };
      options.onError("the monitor's look at the store", error);
      return;
    }
    await raise(state.reading!).catch((error: unknown) => {
      state = { ...state, alerting: messageOf(error) };
      options.onError("raising alerts", error);
    });
  }

  async function raise(reading: MonitorReading): Promise<void> {
    const now = reading.readAt;
    const leading = isLeader(options.collectorId, await store.beatsSince(now - BEATS_MILLIS), scheduler.now());
    const atLeast = leading ? now - lookBackMillis : now - FIRST_LOOK_MILLIS;
    const from = Math.max(lookedThrough ?? now - FIRST_LOOK_MILLIS, atLeast);
    if (!leading) {
      lookedThrough = from;
      state = { ...state, leading, alerting: undefined };
      return;
    }
    const outcome = await raiser.raise(reading, from - OVERLAP_MILLIS);
    showTold();
    state = { ...state, leading, alerting: outcome === "full" ? "there are too many alerts" : undefined };
    if (outcome !== "done") return;
    lookedThrough = now;
    await cursor.save(now);
  }

  /** What was told since the look is known at once. */
  function showTold(): void {
    const { reading } = state;
    if (reading === undefined) return;
    state = { ...state, reading: { ...reading, alerts: raiser.current(reading.alerts) } };
  }

  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  function schedule(millis: number): void {
    cancel = scheduler.after(millis, () => {
      const began = scheduler.now();
      void look().then(() => {
        // From start to start, and never more than half of the time: a slow store is asked less.
        const took = scheduler.now() - began;
        if (running) schedule(Math.max(intervalMillis - took, took));
      });
    });
  }

  return {
    state: () => state,
    look,
    async start() {
      running = true;
      await outbox.start();
      lookedThrough = await cursor.load();
      schedule(0);
    },
    async shutdown() {
      running = false;
      cancel();
      await looking;
      await outbox.shutdown();
    },
    async resolve(id, by, reason) {
      const alerts = raiser.current(await store.alerts(scheduler.now() - FIRST_LOOK_MILLIS));
      const alert = alerts.find(({ alert_id }) => alert_id === id);
      if (alert === undefined) return "unknown";
      if (alert.state !== "firing") return "not_firing";
      const outcome = await raiser.resolve(alert, { by, reason, fixtureId: "" });
      showTold();
      return outcome === "full" ? "full" : "resolved";
    },
    alerts: async (resolvedSince) => raiser.current(await store.alerts(resolvedSince)),
  };
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message || error.name : String(error)).slice(0, 300);
