import { setTimeout as sleep } from "node:timers/promises";
import type { ServerFixture } from "../../../processor/clickhouse/testing/server-fixture.ts";
import type { Place } from "./place.ts";
import type { Programs } from "./processes.ts";

export interface GateAnswer {
  readonly open: boolean;
  /** Codes, without repetitions. */
  readonly codes: readonly string[];
}

/** What a probe sees. Nobody there is closed too. */
export async function askGate({ ports }: Place): Promise<GateAnswer> {
  const response = await fetch(`http://127.0.0.1:${ports.admin}/v1/gate`).catch(() => undefined);
  if (response === undefined) return { open: false, codes: ["nobody answers"] };
  const { reasons } = (await response.json()) as { reasons: { code: string }[] };
  return { open: response.status === 200, codes: [...new Set(reasons.map(({ code }) => code))] };
}

/** What a pipeline sees: exit code 0 is open, 1 closed, 3 nobody answers. */
async function askPipeline(programs: Programs, place: Place): Promise<number> {
  return (await programs.runproof(["gate"], place.repository)).code;
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
    await sleep(250);
  }
}

export interface Silence {
  readonly stopped: "scheduler" | "collector" | "store";
  /** Until the gate was closed. */
  readonly seconds: number;
  /** Two intervals of what was stopped. */
  readonly limitSeconds: number;
  readonly codes: readonly string[];
  /** Of `runproof gate`, while it was closed. */
  readonly exitCode: number;
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
  const ask = (): Promise<GateAnswer> => askGate(place);
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
    const exitCode = await askPipeline(programs, place);
    tell(`closed ${seconds.toFixed(1)} s later: ${codes.join(", ")}; runproof gate ends with ${exitCode}`);
    silences.push({ stopped, seconds, limitSeconds, codes, exitCode });
    await start();
  }
  await untilGate("open", ROUNDS_TO_OPEN * everySeconds, ask);
  return silences;
}
