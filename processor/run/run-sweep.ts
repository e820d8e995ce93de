import type { CollectorBeatRow } from "../clickhouse/run-rows.ts";
import type { Component } from "../component.ts";
import type { RunAssembler } from "./run-assembler.ts";
import type { RunWatchStore, StoredRun, StoredWindow } from "./run-store.ts";
import { type Scheduler, systemScheduler } from "./scheduler.ts";

export interface RunSweepOptions {
  readonly collectorId: string;
  readonly store: Pick<RunWatchStore, "beatsSince" | "runsStoredWithin" | "unsettledRuns">;
  readonly assembler: Pick<RunAssembler, "revisit" | "room" | "takeDropped">;
  /** Spans that began longer ago are left out, milliseconds. */
  readonly sweepMillis: number;
  /** Pause between looks for something to sweep, milliseconds. Default 5,000. */
  readonly intervalMillis?: number;
  /** A collector silent for so long is taken for dead, milliseconds. Default 60,000. */
  readonly silentMillis?: number;
  /** How far the clocks of collectors and store may be apart, milliseconds. Default 30,000. */
  readonly overlapMillis?: number;
  readonly scheduler?: Scheduler;
  readonly onError: (what: string, error: unknown) => void;
}

/** Finds in the store the runs that somebody touched and nobody judged. */
export interface RunSweep extends Component {
  /** Start of the earliest time that is still to be swept, `Infinity` when there is none. */
  sweptThrough(): number;
}

interface Window {
  readonly from: number;
  readonly to: number;
}

/** A slice holds what a busy collector stores in that time, which one query can group. */
const SLICE_MILLIS = 600_000;
/** Room that is left to fresh touches. */
const ROOM_LEFT = 0.5;
/** How far back the last beat is looked for: of a dead collector, and of this one. */
const OTHERS_KEPT_MILLIS = 86_400_000;
const OWN_KEPT_MILLIS = 30 * OTHERS_KEPT_MILLIS;

/**
 * What a collector had stored and not judged when it died, or dropped for want of room, is found again by the time it
 * became readable: after a restart by itself, else by the others when it stays away. Two sweeps of the same runs do no
 * harm. Nothing grows: a sweep waits for room.
 */
export function createRunSweep(options: RunSweepOptions): RunSweep {
  const { collectorId, store, assembler, scheduler = systemScheduler, onError } = options;
  const { intervalMillis = 5_000, silentMillis = 60_000, overlapMillis = 30_000 } = options;
  const todo: Window[] = [];
  /** The last beat of each collector up to which it was swept for. */
  const sweptBeats = new Map<string, number>();
  const room = assembler.room();
  /** How far the first window's first slice is swept. */
  let after: StoredRun | undefined;
  let cancel = (): void => {};
  let working: Promise<void> | undefined;
  let stopped = false;

  const hasRoom = (): boolean => assembler.room() > room * ROOM_LEFT;
  const add = (from: number, to: number): void =>
    void todo.push({ from: from - overlapMillis, to: to + overlapMillis });

  /** One slice at most, so that a long absence is worked off in steps. Stays to be done until it is. */
  async function sweepNext(): Promise<void> {
    const [window] = todo;
    if (window === undefined) return;
    const to = Math.min(window.to, window.from + SLICE_MILLIS);
    const slice = { from: window.from, to, notBefore: scheduler.now() - options.sweepMillis };
    if (!(await sweepSlice(slice))) return;
    todo.shift();
    after = undefined;
    if (to < window.to) todo.unshift({ from: to, to: window.to });
  }

  /** Whether it got to the end: no more are put into the queue than it has room for, or it would drop them again. */
  async function sweepSlice(slice: StoredWindow): Promise<boolean> {
    while (!stopped) {
      const page = await store.runsStoredWithin(slice, after);
      if (page.length === 0) return true;
      for (const run of page) {
        if (!hasRoom()) return false;
        assembler.revisit(run, slice.from);
        after = run;
      }
    }
    return false;
  }

  /** A collector that left has told how far it judged; one that died may have stored a little after its last beat. */
  function findSilent(beats: readonly CollectorBeatRow[]): void {
    const now = scheduler.now();
    for (const { collector_id: id, heard_at: heardAt, judged_through: judgedThrough, state } of beats) {
      if (id === collectorId || now - heardAt < silentMillis || (sweptBeats.get(id) ?? 0) >= heardAt) continue;
      sweptBeats.set(id, heardAt);
      if (state === "up" || judgedThrough < heardAt) add(judgedThrough, heardAt + silentMillis);
    }
  }

  async function tick(): Promise<void> {
    try {
      const dropped = hasRoom() ? assembler.takeDropped() : undefined;
      if (dropped !== undefined) add(dropped, scheduler.now());
      findSilent(await store.beatsSince(scheduler.now() - OTHERS_KEPT_MILLIS));
      await sweepNext();
    } catch (error) {
      onError("sweeping over stored runs", error);
    }
  }

  function schedule(): void {
    cancel = scheduler.after(todo.length > 0 ? intervalMillis / 10 : intervalMillis, () => {
      working = tick().then(() => {
        if (!stopped) schedule();
      });
    });
  }

  return {
    async start() {
      const now = scheduler.now();
      const beats = await store.beatsSince(now - OWN_KEPT_MILLIS);
      const own = beats.find((beat) => beat.collector_id === collectorId);
      if (own !== undefined) add(own.judged_through, now);
      else if (beats.length === 0) {
        // A store from before there were beats, or an empty one.
        for (const run of await store.unsettledRuns(now - options.sweepMillis)) assembler.revisit(run);
      }
      schedule();
    },
    sweptThrough: () => todo.reduce((least, { from }) => Math.min(least, from), Infinity),
    async shutdown() {
      stopped = true;
      cancel();
      await working;
    },
  };
}
