import type { WitnessAddress } from "../../../sandbox/strict/witness.ts";

/** Where an attempt is aimed at, and what it has to work with. */
export interface EscapeTarget {
  readonly witness: WitnessAddress;
  /** A file outside, with the attempt's own name. */
  readonly outside: string;
  /** The witness's secret. */
  readonly secret: string;
}

/** One attempt to reach something outside. Throws or rejects when it is refused. */
export type Escape = (target: EscapeTarget) => unknown;

export const HOST = "127.0.0.1";

/** Resolves with the first of the events, rejects with `error`. */
export function eventOf(
  emitter: { once(name: string, listener: (value: unknown) => void): unknown },
  name: string,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  emitter.once(name, resolve);
  emitter.once("error", reject);
  return promise;
}
