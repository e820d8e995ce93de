import { createHash } from "node:crypto";

/** One of `count` equal parts of a suite; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

const MAX_SHARDS = 10_000;

/** Reads `1/4`. `undefined` for what is not one. */
export function parseShard(text: string): Shard | undefined {
  const match = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  return index >= 1 && index <= count && count <= MAX_SHARDS ? { index, count } : undefined;
}

/**
 * Whether a fixture belongs to a shard: the first 8 hex digits of SHA-256 of its id, modulo the number of shards. It hangs
 * on the id alone, so a fixture stays in its shard whatever others come and go, on every machine.
 */
export function isInShard(fixtureId: string, { index, count }: Shard): boolean {
  const hash = createHash("sha256").update(fixtureId).digest("hex").slice(0, 8);
  return Number.parseInt(hash, 16) % count === index - 1;
}
