import type { RunRow } from "../clickhouse/run-rows.ts";
import { createBreather } from "../breather.ts";
import { type JudgedRun, judgedRun } from "./judged-run.ts";
import { readPortion } from "./run-loader.ts";
import type { RunCensus, RunJudgingStore } from "./run-store.ts";
import { storedFactsOf } from "./stored-facts.ts";

export interface RunToFold {
  readonly census: RunCensus;
  /** Records of it that passed their deadline, by project: without an end among the spans those count as abandoned. */
  readonly givenUp: readonly RunRow[];
}

/** Several of one run when projects share its ids; none when nothing of it is stored. */
export interface FoldedRun extends JudgedRun {
  /** Place of the run among those that were asked for. */
  readonly index: number;
  readonly project: string;
}

/** Reads the spans of runs, folds them into facts and judges these. What it takes and gives can be sent to a thread. */
export interface RunFolder {
  /** A portion: see `portionsOf`. Rejects when the store does. */
  fold(runs: readonly RunToFold[]): Promise<readonly FoldedRun[]>;
}

export type FoldingStore = Pick<RunJudgingStore, "spansOfRuns" | "contractsOf" | "heardLast">;

/** Folded and judged without a pause: about a millisecond each. */
const RUNS_AT_ONCE = 4;

/** In the thread that calls it. */
export const createRunFolder = (store: FoldingStore, breather = createBreather): RunFolder => ({
  async fold(runs) {
    const numbered = runs.map((run, index) => ({ ...run, index }));
    const folded: FoldedRun[] = [];
    await readPortion(store, numbered, async (loaded) => {
      const breathe = breather();
      const spansOfRuns = loaded.map((one) => ({
        ...one,
        givenUp: one.run.givenUp.find(({ project }) => project === one.project),
      }));
      for (let at = 0; at < spansOfRuns.length; at += RUNS_AT_ONCE) {
        const some = spansOfRuns.slice(at, at + RUNS_AT_ONCE);
        const facts = await storedFactsOf(store, some);
        for (const [place, { run, project }] of some.entries()) {
          const one = facts[place];
          if (one !== undefined) folded.push({ ...judgedRun(one), index: run.index, project });
        }
        await breathe();
      }
    });
    return folded;
  },
});
