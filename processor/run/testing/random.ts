export interface Random {
  /** From 0 to below 1. */
  next(): number;
  /** Whole number from 0 to below the limit. */
  below(limit: number): number;
  chance(share: number): boolean;
  hex(bytes: number): string;
}

/** Mulberry32: the same seed gives the same numbers. */
export function createRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const hex = (bytes: number): string =>
    Array.from({ length: bytes }, () => below(256).toString(16).padStart(2, "0")).join("");
  return { next, below, hex, chance: (share) => next() < share };
}
