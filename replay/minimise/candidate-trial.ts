import type { IgnoreRule } from "../cassette/cassette.ts";
import { createPlayer, type Player } from "../cassette/player.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import type { Environment } from "../sandbox/child-environment.ts";
import type { AgentModule, ChildRun, RunChildOptions } from "../sandbox/run-child.ts";
import { type FixtureContent, withContent } from "./content.ts";
import { failureText, verdictOf } from "./failure.ts";
import type { Trial } from "./oracle.ts";
import { createSettlingPlayer } from "./settling-player.ts";

export interface CandidateTrialOptions {
  /** Contract, expectations and names; each candidate brings its own content. */
  readonly fixture: Fixture;
  readonly agent: AgentModule;
  /** Code that mends the failure: it must pass on every candidate, so that what the fix needs stays. */
  readonly fixedAgent?: AgentModule | undefined;
  /** The failure that must stay, as `failureText()` gives it. */
  readonly failure: string;
  /** Runs one replay. */
  readonly run: (options: RunChildOptions) => Promise<ChildRun>;
  readonly environment: Environment;
  readonly ignore: readonly IgnoreRule[];
  /** Of one replay. */
  readonly timeoutMillis: number;
  readonly redactionKeyFile?: string | undefined;
}

/** Replays a candidate: with the broken code, and when that fails as it must, with the fixed code if there is one. */
export async function tryCandidate(
  candidate: FixtureContent,
  options: CandidateTrialOptions,
  signal: AbortSignal,
): Promise<Trial> {
  const { fixture, agent, fixedAgent, failure } = options;
  const player = createSettlingPlayer(candidate.interactions, [...fixture.cassette.ignore, ...options.ignore]);
  const child = await replay(candidate, player, { ...options, agent, signal });
  const verdict = verdictOf(fixture, child);
  const isSame =
    player.report().misses.length === 0 && verdict !== null && failureText(verdict, child.outcome) === failure;
  if (!isSame) return { type: "other" };
  const { input, state } = candidate;
  if (fixedAgent === undefined) return { type: "same", settled: { input, state, interactions: player.settled() } };
  const interactions = [...player.settled(), ...player.unused()].map((it, index) => ({ ...it, index }));
  return await tryFix({ input, state, interactions }, player.settled().length, {
    ...options,
    agent: fixedAgent,
    signal,
  });
}

interface ReplayOptions extends CandidateTrialOptions {
  readonly signal: AbortSignal;
}

/** The fixed code is answered strictly; what neither code asks for goes. */
async function tryFix(content: FixtureContent, usedByBroken: number, options: ReplayOptions): Promise<Trial> {
  const { fixture, ignore } = options;
  const cassette = { interactions: [...content.interactions], ignore: [...fixture.cassette.ignore, ...ignore] };
  const player = createPlayer(cassette);
  const child = await replay(content, player, options);
  const verdict = verdictOf(fixture, child);
  const { misses, unused } = player.report();
  if (misses.length > 0 || verdict === null || !fixture.expected.required_status.includes(verdict.status)) {
    return { type: "other" };
  }
  const useless = new Set(unused.filter((it) => it.index >= usedByBroken));
  const used = content.interactions.filter((it) => !useless.has(it));
  return { type: "same", settled: { ...content, interactions: used.map((it, index) => ({ ...it, index })) } };
}

/** An agent that lives on with a miss cannot become the same failure again; it is given this long to end by itself. */
const GRACE_AFTER_MISS_MILLIS = 2_000;

async function replay(content: FixtureContent, player: Player, options: ReplayOptions): Promise<ChildRun> {
  const { fixture, agent, run, environment, timeoutMillis, redactionKeyFile } = options;
  const missed = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const watched: Player = {
    ...player,
    answer(request) {
      const answer = player.answer(request);
      if (answer.type === "miss") timer ??= setTimeout(() => missed.abort(), GRACE_AFTER_MISS_MILLIS);
      return answer;
    },
  };
  try {
    return await run({
      fixture: withContent(fixture, content),
      agent,
      player: watched,
      environment,
      timeoutMillis,
      redactionKeyFile,
      signal: AbortSignal.any([missed.signal, options.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}
