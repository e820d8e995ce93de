import { createHash } from "node:crypto";

/** The times at which the rounds of a tier are due: `phaseMillis + n * everyMillis` since the epoch. */
export interface Grid {
  readonly everyMillis: number;
  /** 0 up to `everyMillis`. */
  readonly phaseMillis: number;
}

/** The newest slot that is not after `now`, milliseconds since the epoch. */
export const slotAt = (now: number, { everyMillis, phaseMillis }: Grid): number =>
  Math.floor((now - phaseMillis) / everyMillis) * everyMillis + phaseMillis;

/**
 * Where on its interval a host stands: always the same for the same host and tier, and spread over `jitter` (a share of
 * the interval, 0 to 1) for different ones, so that replicas and tiers do not all begin at once.
 */
export function phaseOf(hostId: string, tier: string, { everyMillis, jitter }: SpreadOptions): number {
  const hash = createHash("sha256").update(`${hostId}\n${tier}`).digest().readUInt32BE(0);
  return Math.floor((hash / 2 ** 32) * everyMillis * jitter);
}

export interface SpreadOptions {
  readonly everyMillis: number;
  readonly jitter: number;
}

/** The same for all shards of a round. */
export const roundIdOf = (tier: string, slot: number): string => `${tier}@${new Date(slot).toISOString()}`;
