import { type Choose, type ModelRun, type ModelScenario, runModel } from "./model-run.ts";

export interface Exploration {
  /** Different interleavings that were run. */
  readonly sequences: number;
  /** Whether these were all there are; else all up to the depth, each gone on with in one way. */
  readonly exhaustive: boolean;
  readonly executed: number;
  readonly refused: number;
  readonly written: number;
  /** The first sequence that broke a rule. */
  readonly broken: ModelRun | undefined;
}

export interface ExploreOptions {
  /** Choices that are all tried out; those after are made by a generator with the choices so far as its seed. */
  readonly depth: number;
  readonly maxSequences: number;
}

/** Depth first through all choices of a scenario: the same scenario gives the same sequences each time. */
export async function explore(scenario: ModelScenario, { depth, maxSequences }: ExploreOptions): Promise<Exploration> {
  const total = { sequences: 0, executed: 0, refused: 0, written: 0 };
  let prefix: number[] | undefined = [];
  let deepest = 0;
  const converged = new Set<string>();
  while (prefix !== undefined && total.sequences < maxSequences) {
    const path: { readonly choice: number; readonly count: number }[] = [];
    const planned: readonly number[] = prefix;
    let seed = planned.reduce((hash, choice) => Math.imul(hash ^ (choice + 1), 0x01000193), 0x811c9dc5);
    const choose: Choose = (_step, count) => {
      seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
      const choice = planned[path.length] ?? (path.length < depth ? 0 : (seed >>> 8) % count);
      path.push({ choice, count });
      return choice;
    };
    const run = await runModel(scenario, choose, converged);
    total.sequences += 1;
    total.executed += run.executed;
    total.refused += run.refused;
    total.written += run.written;
    deepest = Math.max(deepest, path.length);
    if (run.violations.length > 0) return { ...total, exhaustive: false, broken: run };
    prefix = nextPrefix(path.slice(0, depth));
  }
  return { ...total, exhaustive: prefix === undefined && deepest <= depth, broken: undefined };
}

function nextPrefix(path: readonly { readonly choice: number; readonly count: number }[]): number[] | undefined {
  const turn = path.findLastIndex(({ choice, count }) => choice + 1 < count);
  if (turn < 0) return undefined;
  const choices = path.slice(0, turn).map(({ choice }) => choice);
  return [...choices, (path[turn]?.choice ?? 0) + 1];
}
