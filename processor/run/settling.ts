import { createRecentMap } from "./recent-map.ts";
import type { RunCensus, StoredRun } from "./run-store.ts";

export interface SettlingOptions {
  readonly now: () => number;
  /** How long an ended run waits for calls it announced, milliseconds. */
  readonly settleMillis: number;
  /** Runs that may wait at a time; further ones are judged at once, and again when the calls come. */
  readonly max: number;
}

/** What a look at a run says of its calls. */
export interface SeenCalls {
  readonly project: string;
  /** The run has ended and announced calls that have not come. */
  readonly awaitsCalls: boolean;
}

/** Ended runs that announced more calls than have come: the exporter may still hold some of them. */
export interface Settling {
  has(run: StoredRun): boolean;
  /** How long to wait before the next look, milliseconds; `undefined` when it is time to judge with what there is. */
  begin(seen: SeenCalls, census: RunCensus): number | undefined;
  /** The same for a run that waits already, as long as no further span of it has come. */
  waitFor(census: RunCensus): number | undefined;
  end(seen: SeenCalls, census: RunCensus): void;
}

const FIRST_STEP_MILLIS = 250;
const LAST_STEP_MILLIS = 2_000;
const keyOf = ({ traceId, runId }: StoredRun): string => `${traceId}/${runId}`;

export function createSettling({ now, settleMillis, max }: SettlingOptions): Settling {
  // By the ids that projects may share: of two that do, one waits and the other is judged at once.
  const waiting = createRecentMap<{ readonly project: string; readonly seenAt: number; readonly spans: number }>(max);

  function stepAfter(seenAt: number): number | undefined {
    const waited = now() - seenAt;
    if (waited >= settleMillis) return undefined;
    return Math.min(Math.max(FIRST_STEP_MILLIS, waited / 2), LAST_STEP_MILLIS, settleMillis - waited);
  }

  return {
    has: (run) => waiting.has(keyOf(run)),
    begin({ awaitsCalls, project }, census) {
      if (!awaitsCalls) return undefined;
      const key = keyOf(census);
      const known = waiting.get(key);
      if (known === undefined ? waiting.size >= max : known.project !== project) return undefined;
      const seenAt = known?.seenAt ?? now();
      waiting.set(key, { project, seenAt, spans: census.spans });
      return stepAfter(seenAt);
    },
    waitFor(census) {
      const known = waiting.get(keyOf(census));
      return known?.spans === census.spans ? stepAfter(known.seenAt) : undefined;
    },
    end({ project }, census) {
      if (waiting.get(keyOf(census))?.project === project) waiting.delete(keyOf(census));
    },
  };
}
