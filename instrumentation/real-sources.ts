import { randomBytes, randomUUID } from "node:crypto";

/**
 * Time and randomness of the machine, for what telemetry itself is made of: ids, span times, deadlines, ages of files.
 * A replay freezes and seeds those of the agent; what is stored of it must nevertheless be told apart and found by time.
 */
export interface RealSources {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some moment; never falls. */
  monotonicMillis(): number;
  randomBytes(size: number): Buffer;
  randomUUID(): string;
}

// A slot of the process: whoever freezes the clock does so before this module is loaded, maybe from another copy of it.
const SLOT = Symbol.for("runproof.real-sources");
const slots = globalThis as unknown as Record<symbol, RealSources | undefined>;

/** Keeps the originals, if nobody did. To be called before they are replaced. */
export function keepRealSources(): void {
  const { now } = Date;
  const clock = globalThis.performance;
  const monotonic = clock.now.bind(clock);
  const [bytes, uuid] = [randomBytes, randomUUID];
  slots[SLOT] ??= {
    now: () => now(),
    monotonicMillis: () => monotonic(),
    randomBytes: (size) => bytes(size),
    randomUUID: () => uuid(),
  };
}

export const realNow = (): number => slots[SLOT]?.now() ?? Date.now();
export const realMonotonicMillis = (): number => slots[SLOT]?.monotonicMillis() ?? performance.now();
export const realRandomBytes = (size: number): Buffer => slots[SLOT]?.randomBytes(size) ?? randomBytes(size);
export const realRandomUUID = (): string => slots[SLOT]?.randomUUID() ?? randomUUID();
