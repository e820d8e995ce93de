import { type CandidateTrialOptions, tryCandidate } from "./candidate-trial.ts";
import { type FixtureContent, measure } from "./content.ts";
import type { Oracle, Trial } from "./oracle.ts";

export interface ReplayOracleOptions extends CandidateTrialOptions {
  /** Candidates replayed at the same time. */
  readonly jobs: number;
  /** After this many answers every further one is `stopped`. */
  readonly maxTries: number;
  readonly signal?: AbortSignal | undefined;
}

/** An oracle that replays. */
export interface ReplayOracle extends Oracle {
  /** Candidates that were really replayed, also those that were tried ahead and never asked for. */
  readonly started: number;
  /** Ends what was tried ahead and resolves when nothing runs any more. */
  close(): Promise<void>;
}

/** More answers that nobody asked for are not kept. */
const MAX_AHEAD = 64;

/**
 * Replays candidates, and while one is awaited those that may come next. What was tried ahead is only ever an answer
 * that comes sooner: the search asks in the same order and gets the same answers however many jobs there are.
 */
export function createReplayOracle(options: ReplayOracleOptions): ReplayOracle {
  const trials = new Map<string, Promise<Trial>>();
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  let hinted: readonly FixtureContent[] = [];
  let running = 0;
  let started = 0;
  let tries = 0;

  function start(candidate: FixtureContent, sha256: string): Promise<Trial> {
    running++;
    started++;
    const trial = tryCandidate(candidate, options, signal).finally(() => {
      running--;
      startHinted();
    });
    trials.set(sha256, trial);
    // Awaited when it is asked for, which may be never.
    trial.catch(() => {});
    const [oldest] = trials.keys();
    if (trials.size > MAX_AHEAD && oldest !== undefined) trials.delete(oldest);
    return trial;
  }
  function startHinted(): void {
    while (running < options.jobs && hinted.length > 0 && !signal.aborted) {
      const [next, ...rest] = hinted;
      hinted = rest;
      if (next === undefined) continue;
      const { sha256 } = measure(next);
      if (!trials.has(sha256)) void start(next, sha256);
    }
  }
  return {
    get started() {
      return started;
    },
    async try(candidate) {
      if (signal.aborted || tries >= options.maxTries) return { type: "stopped" };
      tries++;
      const { sha256 } = measure(candidate);
      const trial = trials.get(sha256) ?? start(candidate, sha256);
      startHinted();
      const said = await trial;
      trials.delete(sha256);
      return wasCutShort(signal) ? { type: "stopped" } : said;
    },
    hint(candidates) {
      hinted = candidates;
    },
    async close() {
      closing.abort();
      await Promise.allSettled(trials.values());
    },
  };
}

/** A replay that was ended from outside says nothing about its candidate. */
const wasCutShort = (signal: AbortSignal): boolean => signal.aborted;
