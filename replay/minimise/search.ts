import { type FixtureContent, measure, type Measured } from "./content.ts";
import type { Oracle } from "./oracle.ts";
import { reduced, type Reduction } from "./reduction.ts";

/** What one attempt to shrink the content led to. */
export type AttemptOutcome = "accepted" | "rejected" | "stopped";

/** The smallest content found so far, and every candidate that was tried. */
export interface Search {
  readonly best: FixtureContent;
  readonly bestBytes: number;
  /** Candidates the oracle was asked about. The same for every speed and number of helpers. */
  readonly tries: number;
  /** Accepted candidates become the best content. Only a smaller one is accepted, so a search ends. */
  attempt(candidate: FixtureContent): Promise<AttemptOutcome>;
  /** Tells the oracle which candidates come next if this one is rejected. */
  announce(base: FixtureContent, next: readonly (readonly Reduction[])[]): void;
}

export interface SearchOptions {
  readonly oracle: Oracle;
  /** A content that shows the failure. */
  readonly start: FixtureContent;
  /** Candidates announced ahead. Default 0. */
  readonly lookAhead?: number;
  /** Hashes of candidates known not to show the failure. */
  readonly rejected?: Iterable<string>;
  readonly onTried?: (search: Search, outcome: AttemptOutcome, candidate: Measured) => void;
}

export function createSearch({ oracle, start, lookAhead = 0, rejected = [], onTried }: SearchOptions): Search {
  const known = new Set(rejected);
  let best = start;
  let bestBytes = measure(start).bytes;
  let tries = 0;

  async function ask(candidate: FixtureContent, measured: Measured): Promise<AttemptOutcome> {
    const trial = await oracle.try(candidate);
    if (trial.type === "stopped") return "stopped";
    tries++;
    if (trial.type === "same") {
      const { bytes } = measure(trial.settled);
      if (bytes < bestBytes) {
        best = trial.settled;
        bestBytes = bytes;
        return "accepted";
      }
    }
    known.add(measured.sha256);
    return "rejected";
  }

  const search: Search = {
    get best() {
      return best;
    },
    get bestBytes() {
      return bestBytes;
    },
    get tries() {
      return tries;
    },
    async attempt(candidate) {
      const measured = measure(candidate);
      if (known.has(measured.sha256)) return "rejected";
      const outcome = await ask(candidate, measured);
      onTried?.(search, outcome, measured);
      return outcome;
    },
    announce(base, next) {
      if (lookAhead === 0 || oracle.hint === undefined) return;
      const candidates = next.slice(0, lookAhead).map((reductions) => reduced(base, reductions));
      oracle.hint(candidates.filter((candidate) => !known.has(measure(candidate).sha256)));
    },
  };
  return search;
}
