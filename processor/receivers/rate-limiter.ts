/** Limits of one project; an absent one does not limit. */
export interface RateLimit {
  /** Of bodies after decompression. */
  readonly bytesPerSecond?: number;
  readonly requestsPerSecond?: number;
}

export interface RateLimiterOptions {
  /** For every project without its own. Default: none. */
  readonly general?: RateLimit;
  readonly projects?: ReadonlyMap<string, RateLimit>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** Token buckets per project. Both methods answer the seconds to wait, 0 for none. */
export interface RateLimiter {
  waitSeconds(project: string): number;
  /** Charges one request of `bytes`, unless there is a wait. */
  charge(project: string, bytes: number): number;
}

/** A bucket holds the allowance of this time, so that a batch interval of 5 s of an exporter is no burst. */
const BURST_SECONDS = 5;
/** Less than this is not worth a refusal, and a `Retry-After` of nothing would be a lie. */
const MIN_WAIT_SECONDS = 0.001;

interface Bucket {
  tokens: number;
  readonly perSecond: number;
  atMillis: number;
}

/**
 * A bucket in credit takes a request of any size and goes into debt for it: so a body larger than the burst passes,
 * and its project waits until the debt is paid. Projects come from the configuration, so the buckets are few.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const now = options.now ?? (() => performance.now());
  const buckets = new Map<string, { readonly bytes: Bucket | undefined; readonly requests: Bucket | undefined }>();

  const bucket = (perSecond: number | undefined): Bucket | undefined =>
    perSecond === undefined
      ? undefined
      : { tokens: Math.max(1, perSecond * BURST_SECONDS), perSecond, atMillis: now() };

  const bucketsOf = (project: string) => {
    let own = buckets.get(project);
    if (own === undefined) {
      const limit = options.projects?.get(project) ?? options.general ?? {};
      own = { bytes: bucket(limit.bytesPerSecond), requests: bucket(limit.requestsPerSecond) };
      buckets.set(project, own);
    }
    return own;
  };

  const waitOf = (own: Bucket | undefined, needed: number): number => {
    if (own === undefined) return 0;
    const at = now();
    own.tokens += ((at - own.atMillis) / 1_000) * own.perSecond;
    own.tokens = Math.min(own.tokens, Math.max(1, own.perSecond * BURST_SECONDS));
    own.atMillis = at;
    return own.tokens >= needed ? 0 : Math.max(MIN_WAIT_SECONDS, (needed - own.tokens) / own.perSecond);
  };

  const waitSeconds = (project: string): number => {
    const { bytes, requests } = bucketsOf(project);
    return Math.max(waitOf(bytes, 0), waitOf(requests, 1));
  };

  return {
    waitSeconds,
    charge(project, size) {
      const wait = waitSeconds(project);
      if (wait > 0) return wait;
      const { bytes, requests } = bucketsOf(project);
      if (bytes !== undefined) bytes.tokens -= size;
      if (requests !== undefined) requests.tokens -= 1;
      return 0;
    },
  };
}
