import { UsageError } from "./run-command-line.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A point in time from `24h`, `30m`, `7d` before `now`, or from an ISO date; milliseconds since the epoch. */
export function parseSince(text: string, now: number): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return now - Number(amount) * (UNITS[unit] ?? 0);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`--since ${text}: give a duration such as 30m, 24h, 7d, or an ISO date`);
  return time;
}
