export interface BackoffOptions {
  /** Wait after the first failure, milliseconds. Default 1,000. */
  readonly firstMillis?: number;
  /** Longest wait of our own. Default 30,000. */
  readonly lastMillis?: number;
  /** Longest wait that is granted to the other side. Default 600,000. */
  readonly lastAskedMillis?: number;
}

/**
 * How long to wait after the nth failure in a row, from 1 on: doubling, with jitter down to half of it, so that many senders
 * do not come back at the same moment; or what the other side asked for, when that is longer.
 */
export function backoffMillis(
  failures: number,
  askedMillis: number | undefined,
  { firstMillis = 1_000, lastMillis = 30_000, lastAskedMillis = 600_000 }: BackoffOptions = {},
): number {
  const full = Math.min(lastMillis, firstMillis * 2 ** Math.min(failures - 1, 30));
  const own = full * (0.5 + Math.random() / 2);
  return Math.max(own, Math.min(askedMillis ?? 0, lastAskedMillis));
}
