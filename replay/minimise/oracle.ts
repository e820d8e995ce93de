import type { FixtureContent } from "./content.ts";

/** What trying a candidate showed. */
export type Trial =
  | { readonly type: "other" }
  /**
   * The same failure. `settled` is the candidate as the replay used it: recordings that nobody asked for are gone,
   * and each call carries the arguments it was made with.
   */
  | { readonly type: "same"; readonly settled: FixtureContent }
  /** Not tried: somebody wants to stop, or the replays that were allowed are used up. */
  | { readonly type: "stopped" };

/** Says whether a candidate still shows the failure. Must say the same of the same candidate. */
export interface Oracle {
  try(candidate: FixtureContent): Promise<Trial>;
  /** Candidates that may be asked for next, the likeliest first; replaces the last hint. Never changes an answer. */
  hint?(candidates: readonly FixtureContent[]): void;
}
