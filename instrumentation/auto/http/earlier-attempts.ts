import { DEPENDENCY_ERROR_CLASSES } from "../../capture/error-class.ts";
import type { Attempt } from "../../contract/evidence.ts";
import type { StepScope } from "../../run/run-scope.ts";

/** One try at a request, once it is over. */
export interface EndedTry {
  /** Identity of the whole request: the same method, URL and body have the same. */
  readonly request: string;
  /** Of the monotonic clock. */
  readonly startedMillis: number;
  readonly endedMillis: number;
  readonly status: number | undefined;
  readonly errorClass: string | null;
  /** Tries that the client says it made before; 0 says nothing, for a layer above it may be the one that tries again. */
  readonly saidEarlier: number;
}

interface FailedTries {
  readonly attempts: readonly Attempt[];
  readonly endedMillis: number;
}

/** By the place in a run, then by request. A place that is gone takes its log with it. */
const logs = new WeakMap<StepScope["ordinals"], Map<string, FailedTries[]>>();
const MAX_ATTEMPTS = 50;
const MAX_REQUESTS = 1_000;

/**
 * The tries at one request up to and with this one. Client libraries try again without a word: the same request from
 * the same place, begun after one of them had failed in a way that passes, is such a try. Each failed try is followed
 * up once, so requests made side by side keep theirs.
 */
export function triesSoFar(scope: StepScope, ended: EndedTry): Attempt[] {
  const log = logs.get(scope.ordinals) ?? new Map<string, FailedTries[]>();
  logs.set(scope.ordinals, log);
  const open = log.get(ended.request) ?? [];
  const before = followed(open, ended);
  const earlier = before?.attempts ?? untold(ended.saidEarlier);
  const attempt: Attempt = {
    status: ended.errorClass === null ? "ok" : "error",
    errorClass: ended.errorClass,
    waitMillis: before === undefined ? 0 : Math.max(0, Math.round(ended.startedMillis - before.endedMillis)),
  };
  const attempts = [...earlier, attempt].slice(-MAX_ATTEMPTS);
  const left = open.filter((tries) => tries !== before);
  if (mayPass(ended) && (log.has(ended.request) || log.size < MAX_REQUESTS)) {
    left.push({ attempts, endedMillis: ended.endedMillis });
  }
  if (left.length > 0) log.set(ended.request, left.slice(-MAX_ATTEMPTS));
  else log.delete(ended.request);
  return attempts;
}

/** The failed tries that a client's own count speaks of, else the latest that were over by then. */
function followed(open: readonly FailedTries[], { startedMillis, saidEarlier }: EndedTry): FailedTries | undefined {
  const over = open.filter((tries) => tries.endedMillis <= startedMillis);
  return over.find(({ attempts }) => attempts.length === saidEarlier) ?? over.at(-1);
}

/** A client that says it tried before did so where nobody saw it. */
const untold = (count: number): Attempt[] =>
  Array.from({ length: Math.min(count, MAX_ATTEMPTS - 1) }, () => ({
    status: "error",
    errorClass: "_OTHER",
    waitMillis: 0,
  }));

const RETRIED_STATUSES: ReadonlySet<number> = new Set([409, 425]);

/**
 * Whether the same request may do better a moment later. An agent that asks again for what was not there, or was not
 * allowed, or that it did not care to read to its end, tries nothing again.
 */
function mayPass({ status, errorClass }: EndedTry): boolean {
  if (errorClass === null) return false;
  if (status === undefined) return true;
  return DEPENDENCY_ERROR_CLASSES.has(errorClass) || RETRIED_STATUSES.has(status);
}
