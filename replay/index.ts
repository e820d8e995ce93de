export type { Cassette, IgnoreRule, Interaction } from "./cassette/cassette.ts";
export { describeMiss } from "./cassette/describe-miss.ts";
export { matchKey, type MatchableCall } from "./cassette/match-key.ts";
export type { CallDifference } from "./cassette/nearest.ts";
export {
  createPlayer,
  type Hit,
  type Miss,
  type MissReason,
  type Player,
  type PlayerReport,
} from "./cassette/player.ts";
export { type FixtureOnDisk, readFixtureOnDisk } from "./certify/fixture-on-disk.ts";
export { type LifeCycle, type LifeCycleState } from "./certify/life-cycle.ts";
export { lifeCycleNow, type LifeCycleOptions } from "./certify/life-cycle-now.ts";
export { openRepository, type Repository } from "./certify/repository.ts";
export {
  ConfigError,
  defineConfig,
  loadConfig,
  type LoadedConfig,
  type RunproofConfig,
  type RunproofConfigInput,
} from "./config.ts";
export { type AutoFixtures, type AutoFixturesOptions, createAutoFixtures } from "./fixture/auto-fixtures.ts";
export { buildFixture, type BuildFixtureOptions, type FixtureBuild } from "./fixture/build-fixture.ts";
export type { Fixture, FixtureExpected, FixtureInput, FixtureNotes } from "./fixture/fixture-format.ts";
export {
  DEFAULT_FIXTURES_DIRECTORY,
  type FixtureListing,
  type FixtureWriting,
  listFixtures,
  readFixture,
  writeFixture,
} from "./fixture/fixture-store.ts";
export { type FixtureProblem, type FixtureReading, parseFixture } from "./fixture/parse-fixture.ts";
export type { Refusal } from "./fixture/refusals.ts";
export type { AgentModule, ChildOutcome } from "./sandbox/run-child.ts";
export { EXIT, exitCodeOf } from "./worker/exit-codes.ts";
export { replayFixture, type ReplayOptions } from "./worker/replay-fixture.ts";
export type { ReplayOutcome, ReplayResult } from "./worker/replay-result.ts";
export type { LivePolicy } from "./sandbox/live-policy.ts";
export type { ReplayMode, StrictReport } from "./sandbox/run-child.ts";
export type { Attempt } from "./sandbox/strict/attempt.ts";
