import { setTimeout as sleep } from "node:timers/promises";
import type { ServerFixture } from "../../../processor/clickhouse/testing/server-fixture.ts";
import type { Place } from "./place.ts";
import type { Programs } from "./processes.ts";

export interface GateAnswer {
  readonly open: boolean;
  /** Codes, without repetitions. */
  readonly codes: readonly string[];
}

/** What a pipeline sees: `runproof gate` and its exit code. Nobody there is closed too. */
export async function askGate(programs: Programs, place: Place): Promise<GateAnswer> {
  const { code, stdout } = await programs.runproof(["gate", "--json"], place.repository);
  const { reasons = [] } = JSON.parse(stdout || "{}") as { reasons?: { code: string }[] };
  const codes = [...new Set(reasons.map((reason) => reason.code))];
  return { open: code === 0, codes: code === 3 ? ["nobody answers"] : codes };
}

/** Resolves with the seconds it took; rejects with the gate's reasons after `limitSeconds`. */
export async function untilGate(
  wanted: "open" | "closed",
  limitSeconds: number,
  ask: () => Promise<GateAnswer>,
): Promise<{ readonly seconds: number; readonly codes: readonly string[] }> {
  const began = Date.now();
  for (;;) {
    const answer = await ask();
    const seconds = (Date.now() - began) / 1_000;
    if (answer.open === (wanted === "open")) return { seconds, codes: answer.codes };
    if (seconds > limitSeconds) {
      throw new Error(`the gate is not ${wanted} after ${Math.round(seconds)} s: ${answer.codes.join(", ")}`);
    }
    await sleep(500);
  }
}

export interface Silence {
  readonly stopped: "scheduler" | "collector" | "store";
  /** Until the gate was closed. */
  readonly seconds: number;
  /** Two intervals of what was stopped. */
  readonly limitSeconds: number;
  readonly codes: readonly string[];
}

interface Stage {
  readonly programs: Programs;
  readonly store: ServerFixture;
  readonly place: Place;
  readonly everySeconds: number;
  readonly tell: (line: string) => void;
}

/** Opens the gate in more than this many rounds means that something else is wrong. */
const ROUNDS_TO_OPEN = 10;

/** Stops each part while the gate is open, waits until it is closed, and starts the part again. */
export async function measureSilences({ programs, store, place, everySeconds, tell }: Stage): Promise<Silence[]> {
  const ask = (): Promise<GateAnswer> => askGate(programs, place);
  const parts = [
    {
      stopped: "scheduler",
      limitSeconds: 2 * everySeconds,
      stop: () => programs.stopScheduler(),
      start: async () => programs.startScheduler(),
    },
    { stopped: "store", limitSeconds: 4, stop: () => store.kill(), start: () => store.start() },
    {
      stopped: "collector",
      limitSeconds: 4,
      stop: () => programs.killCollector(),
      start: () => programs.startCollector(),
    },
  ] as const;
  const silences: Silence[] = [];
  for (const { stopped, limitSeconds, stop, start } of parts) {
    const { seconds: toOpen } = await untilGate("open", ROUNDS_TO_OPEN * everySeconds, ask);
    tell(`the gate is open (${toOpen.toFixed(0)} s); stopping the ${stopped}`);
    await stop();
    const { seconds, codes } = await untilGate("closed", 3 * limitSeconds + 10, ask);
    tell(`closed ${seconds.toFixed(1)} s later: ${codes.join(", ")}`);
    silences.push({ stopped, seconds, limitSeconds, codes });
    await start();
  }
  await untilGate("open", ROUNDS_TO_OPEN * everySeconds, ask);
  return silences;
}
