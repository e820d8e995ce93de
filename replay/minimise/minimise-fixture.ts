import type { IgnoreRule } from "../cassette/cassette.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { createChildPool } from "../sandbox/child-pool.ts";
import type { Environment } from "../sandbox/child-environment.ts";
import { worldOfFixture } from "../sandbox/determinism/world-of-fixture.ts";
import type { AgentModule } from "../sandbox/run-child.ts";
import { defaultTimeoutMillis, replayFixture, type RunAgent } from "../worker/replay-fixture.ts";
import type { ReplayResult } from "../worker/replay-result.ts";
import { contentOf, measure } from "./content.ts";
import { failureText } from "./failure.ts";
import { minimise, type Minimised } from "./minimise.ts";
import { minimisedFixture } from "./minimised-fixture.ts";
import { createReplayOracle, type ReplayOracle } from "./replay-oracle.ts";
import type { SavedSearch } from "./saved-search.ts";
import { createSearchSaver } from "./search-saver.ts";

export interface MinimiseFixtureOptions {
  /** The code that shows the failure. */
  readonly agent: AgentModule;
  /** The code that mends it: with it, nothing that it needs to pass is taken out. */
  readonly fixedAgent?: AgentModule;
  /** How the agent is run, when it is not a module. Default: in a pool of processes. */
  readonly runAgent?: RunAgent;
  /** Id of the smaller fixture. */
  readonly fixtureId: string;
  readonly environment: Environment;
  /** Argument fields that must not decide a match, beyond those of the cassette. */
  readonly ignore?: readonly IgnoreRule[];
  readonly redactionKeyFile?: string;
  /** Candidates replayed at the same time. Default 2. */
  readonly jobs?: number;
  /** Stop after this many candidates, with the smallest so far. Default: none. */
  readonly maxReplays?: number;
  /** Of one replay. Default: ten times what the whole fixture takes, at least 10 s. */
  readonly timeoutMillis?: number;
  /** A search that was stopped, to go on with. */
  readonly saved?: SavedSearch;
  /** Called for each smaller content and now and then between, one call at a time; it is given what `saved` takes. */
  readonly onSave?: (search: SavedSearch) => Promise<void>;
  readonly onProgress?: (progress: MinimiseProgress) => void;
  /** Stops the search; the smallest so far is checked and given all the same. */
  readonly signal?: AbortSignal;
}

export interface MinimiseProgress {
  readonly bytesBefore: number;
  readonly bytes: number;
  readonly interactionsBefore: number;
  readonly interactions: number;
  readonly candidates: number;
}

export type Minimisation =
  | {
      readonly type: "minimised";
      readonly fixture: Fixture;
      /** Candidates that were really replayed, with those tried ahead for nothing. */
      readonly replayed: number;
      /** False when the search was stopped: going on may make the fixture smaller. */
      readonly isOneMinimal: boolean;
    }
  /** The fixture does not show its own failure with this code, so there is nothing to keep. */
  | { readonly type: "not_reproduced"; readonly result: ReplayResult }
  /** The fixed code does not pass on the whole fixture. */
  | { readonly type: "not_fixed"; readonly result: ReplayResult }
  /** The smaller fixture does not show the failure each time: the agent does not do the same on the same answers. */
  | { readonly type: "unstable"; readonly result: ReplayResult }
  | { readonly type: "interrupted" };

/**
 * Replays one process may run. Only the agent's own modules are loaded anew for each; should the result not stand in a
 * process of its own, everything is done again with one process for each candidate.
 */
const USES_PER_CHILD = [200, 1] as const;

/**
 * Makes a fixture as small as it gets while its failure stays the same. No model is asked: every candidate is answered
 * from the recording. The result is replayed once more, strictly and in a fresh process, before it is given.
 */
export async function minimiseFixture(fixture: Fixture, options: MinimiseFixtureOptions): Promise<Minimisation> {
  const began = performance.now();
  const isStopped = (): boolean => options.signal?.aborted === true;
  const first = await check(fixture, options, options.signal);
  const tookMillis = performance.now() - began;
  if (isStopped()) return { type: "interrupted" };
  if (first.type !== "as_it_must") return first;
  const timeoutMillis = options.timeoutMillis ?? timeoutOf(fixture, first.broken, tookMillis);
  const task: Task = { fixture, options, failure: first.failure, timeoutMillis };
  let replayed = 0;
  let unstable = first.broken;
  for (const usesPerChild of USES_PER_CHILD) {
    const found = await searchWith(task, usesPerChild);
    replayed += found.replayed;
    if (found.minimised === undefined) {
      if (isStopped()) return { type: "interrupted" };
      continue;
    }
    const smaller = minimisedFixture(fixture, options.fixtureId, found.minimised);
    // Without the signal: what was found so far is worth one more replay.
    const last = await check(smaller, options, undefined);
    if (last.type === "as_it_must" && last.failure === first.failure)
      return { type: "minimised", fixture: smaller, replayed, isOneMinimal: found.minimised.isOneMinimal };
    unstable = last.type === "as_it_must" ? last.broken : last.result;
  }
  return { type: "unstable", result: unstable };
}

type Check =
  | { readonly type: "as_it_must"; readonly failure: string; readonly broken: ReplayResult }
  | Extract<Minimisation, { type: "not_reproduced" | "not_fixed" }>;

/** Replays as `agent-replay` does. */
async function check(fixture: Fixture, options: MinimiseFixtureOptions, signal?: AbortSignal): Promise<Check> {
  const { agent, fixedAgent, environment, ignore = [], redactionKeyFile, runAgent } = options;
  const replayOptions = {
    environment,
    storeUrl: null,
    ignore,
    ...(redactionKeyFile === undefined ? {} : { redactionKeyFile }),
    ...(signal === undefined ? {} : { signal }),
    ...(runAgent === undefined ? {} : { runAgent }),
  };
  const broken = await replayFixture(fixture, agent, replayOptions);
  if (broken.outcome !== "reproduced" || broken.verdict === null) return { type: "not_reproduced", result: broken };
  if (fixedAgent !== undefined) {
    const fixed = await replayFixture(fixture, fixedAgent, replayOptions);
    if (fixed.outcome !== "fixed") return { type: "not_fixed", result: fixed };
  }
  return { type: "as_it_must", failure: failureText(broken.verdict, broken.agent), broken };
}

interface Task {
  readonly fixture: Fixture;
  readonly options: MinimiseFixtureOptions;
  readonly failure: string;
  readonly timeoutMillis: number;
}

interface Found {
  /** `undefined` when even the whole content does not show the failure in such a process. */
  readonly minimised: Minimised | undefined;
  readonly replayed: number;
}

async function searchWith(task: Task, usesPerChild: number): Promise<Found> {
  const { fixture, options, failure, timeoutMillis } = task;
  const { agent, fixedAgent, environment, jobs = 2, maxReplays = Number.POSITIVE_INFINITY } = options;
  const passEnvironment = [...(agent.passEnvironment ?? []), ...(fixedAgent?.passEnvironment ?? [])];
  const { locale } = worldOfFixture(fixture);
  const processes =
    options.runAgent === undefined
      ? createChildPool({ size: jobs, usesPerChild, environment, passEnvironment, locale })
      : { run: options.runAgent, close: () => Promise.resolve() };
  const oracle = createReplayOracle({
    // Under its future name, which seeds what is random in a replay.
    fixture: { ...fixture, id: options.fixtureId },
    agent,
    fixedAgent,
    failure,
    run: (replay) => processes.run(replay),
    environment,
    ignore: options.ignore ?? [],
    timeoutMillis,
    redactionKeyFile: options.redactionKeyFile,
    jobs,
    // The whole content is tried first, to see what of it is used at all.
    maxTries: maxReplays + 1,
    signal: options.signal,
  });
  try {
    return { minimised: await search(task, oracle), replayed: oracle.started };
  } finally {
    await oracle.close();
    await processes.close();
  }
}

async function search({ fixture, options }: Task, oracle: ReplayOracle): Promise<Minimised | undefined> {
  const { saved, jobs = 2, onProgress } = options;
  const before = contentOf(fixture);
  const whole = await oracle.try(saved?.best ?? before);
  if (whole.type !== "same") return undefined;
  const earlier = saved?.tries ?? 0;
  const saver = createSearchSaver(fixture, options);
  const bytesBefore = measure(before).bytes;
  const result = await minimise({
    oracle,
    start: whole.settled,
    lookAhead: jobs - 1,
    rejected: saved?.rejected ?? [],
    onTried(at, outcome, candidate) {
      saver.onTried(at, outcome, candidate);
      onProgress?.({
        bytesBefore,
        bytes: at.bestBytes,
        interactionsBefore: before.interactions.length,
        interactions: at.best.interactions.length,
        candidates: earlier + at.tries,
      });
    },
  });
  await saver.saved();
  return { ...result, tries: earlier + result.tries };
}

const MIN_TIMEOUT_MILLIS = 10_000;

/** A candidate that takes much longer than the whole fixture hangs; only where hanging is the failure is it waited for. */
const timeoutOf = (fixture: Fixture, { agent }: ReplayResult, tookMillis: number): number =>
  agent.type === "timed_out"
    ? defaultTimeoutMillis(fixture)
    : Math.min(defaultTimeoutMillis(fixture), Math.max(MIN_TIMEOUT_MILLIS, tookMillis * 10));
