/** What a replayed process takes for the world: its clock stands still at one moment, its randomness comes from a seed. */
export interface ReplayWorld {
  /** Milliseconds since the epoch, whole: when the recorded run began. */
  readonly startUnixMillis: number;
  /** Equal seeds give equal random values at equal call paths. */
  readonly seed: string;
  /** Which of the replay's processes and threads this is: `''` for the first. None shares random values with another. */
  readonly origin: string;
}

/** Environment variable that carries the world to a process, and on to the processes it starts. */
export const WORLD_VARIABLE = "RUNPROOF_REPLAY_WORLD";

export const worldText = (world: ReplayWorld): string =>
  JSON.stringify([world.startUnixMillis, world.seed, world.origin]);

/** `undefined` for what `worldText()` did not write. */
export function parseWorld(text: string | undefined): ReplayWorld | undefined {
  try {
    const [startUnixMillis, seed, origin] = JSON.parse(text ?? "null") as readonly unknown[];
    const isWorld = Number.isSafeInteger(startUnixMillis) && typeof seed === "string" && typeof origin === "string";
    return isWorld ? { startUnixMillis: startUnixMillis as number, seed, origin } : undefined;
  } catch {
    return undefined;
  }
}
