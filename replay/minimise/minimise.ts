import type { FixtureContent } from "./content.ts";
import type { Reduction } from "./reduction.ts";
import { partLevels, stepLevels, type TextReduction, textsOf } from "./reductions-of.ts";
import { createSearch, type Search, type SearchOptions } from "./search.ts";
import { type RoundOutcome, takeOut } from "./take-out.ts";

export interface Minimised {
  readonly content: FixtureContent;
  readonly bytes: number;
  /** No single step, array item or object member can be taken out. False when the search was stopped. */
  readonly isOneMinimal: boolean;
  /** Candidates that were asked about. */
  readonly tries: number;
}

/**
 * Hierarchical delta debugging: the step tree first, from coarse to fine, then items and members inside the JSON the
 * agent is given, level by level, then texts. Passes are repeated until one changes nothing: such a pass has tried every
 * single element on the result, which is the proof that it is 1-minimal. Pure but for the oracle.
 */
export async function minimise(options: SearchOptions): Promise<Minimised> {
  const search = createSearch(options);
  for (let pass = 1; ; pass++) {
    const outcome = await runPass(search, pass === 1 ? together : oneByOne);
    if (outcome === "shrunk") continue;
    const { best: content, bestBytes: bytes, tries } = search;
    return { content, bytes, tries, isOneMinimal: outcome === "unchanged" };
  }
}

/** How a list of reductions is first tried: all at once, or, once little is left that goes, each for itself. */
type Chunking = (reductions: readonly Reduction[]) => (readonly Reduction[])[];
const together: Chunking = (reductions) => [reductions];
const oneByOne: Chunking = (reductions) => reductions.map((one) => [one]);

async function runPass(search: Search, chunking: Chunking): Promise<RoundOutcome> {
  const elements = await inTurn([
    () => levelByLevel(search, stepLevels, chunking),
    () => takeOut(search, neighbours(stepLevels(search.best)[0] ?? [])),
    () => levelByLevel(search, partLevels, chunking),
    () => takeOut(search, chunking(textsOf(search.best))),
  ]);
  // Cutting into a text that is needed costs many replays, so everything else goes first.
  return elements === "unchanged" ? await shortenTexts(search) : elements;
}

/** The levels are read off again before each one: what a coarse cut removed takes its parts along. */
async function levelByLevel(
  search: Search,
  levelsOf: (content: FixtureContent) => readonly (readonly Reduction[])[],
  chunking: Chunking,
): Promise<RoundOutcome> {
  let outcome: RoundOutcome = "unchanged";
  for (let depth = 0; outcome !== "stopped"; depth++) {
    const level = levelsOf(search.best)[depth];
    if (level === undefined) break;
    outcome = both(outcome, await takeOut(search, chunking(level)));
  }
  return outcome;
}

/** Longer lists hold too many runs to try them all. */
const MAX_STEPS_FOR_RUNS = 64;
const RUN_LENGTHS = [8, 4, 3, 2];

/** Runs of neighbouring steps: a model's wish and the call that fulfils it go only together. */
function neighbours(steps: readonly Reduction[]): (readonly Reduction[])[] {
  if (steps.length > MAX_STEPS_FOR_RUNS) return [];
  return RUN_LENGTHS.filter((length) => length < steps.length).flatMap((length) =>
    Array.from({ length: steps.length - length + 1 }, (_, start) => steps.slice(start, start + length)),
  );
}

const SHORTEST_CUT = 4;

/** Halves, quarters and so on, off the front and off the end, as long as that goes. */
async function shortenTexts(search: Search): Promise<RoundOutcome> {
  let outcome: RoundOutcome = "unchanged";
  for (let share = 2; outcome !== "stopped"; share *= 2) {
    const texts = textsOf(search.best);
    if (texts.every((text) => sizeOfCut(text, share) < SHORTEST_CUT)) break;
    outcome = both(outcome, await untilUnchanged(() => cutEnds(search, share)));
  }
  return outcome;
}

const cutEnds = (search: Search, share: number): Promise<RoundOutcome> =>
  inTurn(
    [frontOf, endOf].map(
      (part) => () =>
        takeOut(search, [
          textsOf(search.best)
            .filter((text) => sizeOfCut(text, share) >= SHORTEST_CUT)
            .map((text) => part(text, sizeOfCut(text, share))),
        ]),
    ),
  );

const sizeOfCut = ({ from, to }: TextReduction, share: number): number => Math.floor((to - from) / share);
const frontOf = (text: TextReduction, size: number): TextReduction => ({ ...text, to: text.from + size });
const endOf = (text: TextReduction, size: number): TextReduction => ({ ...text, from: text.to - size });

async function inTurn(rounds: readonly (() => Promise<RoundOutcome>)[]): Promise<RoundOutcome> {
  let outcome: RoundOutcome = "unchanged";
  for (const round of rounds) {
    if (outcome === "stopped") break;
    outcome = both(outcome, await round());
  }
  return outcome;
}

async function untilUnchanged(round: () => Promise<RoundOutcome>): Promise<RoundOutcome> {
  let outcome: RoundOutcome = "unchanged";
  for (let last: RoundOutcome = "shrunk"; last === "shrunk";) {
    last = await round();
    outcome = both(outcome, last);
  }
  return outcome;
}

const both = (first: RoundOutcome, second: RoundOutcome): RoundOutcome =>
  second === "stopped" || first === "stopped" ? "stopped" : second === "shrunk" ? "shrunk" : first;
