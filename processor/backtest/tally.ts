/** How many, by name. */
export type Counts = ReadonlyMap<string, number>;

/** What a back-test found so far, as numbers. Parts add up to the same whatever they are parts of. */
export interface Tally {
  /** Runs that were judged. */
  readonly runs: number;
  /** Runs that had not ended: nothing to judge yet. */
  readonly open: number;
  /** Runs of which spans that the stored verdict rests on are not stored any more. */
  readonly gone: number;
  /** By the status they have now, and the stored one. */
  readonly judged: Counts;
  readonly stored: Counts;
  /** `passed>failed`: by both. */
  readonly changes: Counts;
  /** By failure class and, each run once, by reason code: of all that did not pass. */
  readonly failureClasses: Counts;
  readonly reasons: Counts;
  /** Runs by clause of the contract that nobody looked at when they closed. */
  readonly unobserved: Counts;
  readonly silent: SilentTally;
}

/** Of the runs that were silently wrong. */
export interface SilentTally {
  readonly runs: number;
  readonly failureClasses: Counts;
  readonly reasons: Counts;
}

export const EMPTY_TALLY: Tally = {
  runs: 0,
  open: 0,
  gone: 0,
  judged: new Map(),
  stored: new Map(),
  changes: new Map(),
  failureClasses: new Map(),
  reasons: new Map(),
  unobserved: new Map(),
  silent: { runs: 0, failureClasses: new Map(), reasons: new Map() },
};

/** Each name once. */
export const countsOf = (names: Iterable<string>): Counts => new Map(Array.from(names, (name) => [name, 1]));

/** Pure; the order does not matter. */
export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = (one: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + one(tally), 0);
  const counts = (one: (tally: Tally) => Counts): Counts => addCounts(tallies.map(one));
  return {
    runs: sum(({ runs }) => runs),
    open: sum(({ open }) => open),
    gone: sum(({ gone }) => gone),
    judged: counts(({ judged }) => judged),
    stored: counts(({ stored }) => stored),
    changes: counts(({ changes }) => changes),
    failureClasses: counts(({ failureClasses }) => failureClasses),
    reasons: counts(({ reasons }) => reasons),
    unobserved: counts(({ unobserved }) => unobserved),
    silent: {
      runs: sum(({ silent }) => silent.runs),
      failureClasses: counts(({ silent }) => silent.failureClasses),
      reasons: counts(({ silent }) => silent.reasons),
    },
  };
}

function addCounts(all: readonly Counts[]): Counts {
  const total = new Map<string, number>();
  for (const counts of all) for (const [name, count] of counts) total.set(name, (total.get(name) ?? 0) + count);
  return total;
}
