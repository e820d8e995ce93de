import type { Fixture } from "../fixture/fixture-format.ts";
import { childEnvironment, type Environment, type ReplayRunType } from "./child-environment.ts";
import { worldOfFixture } from "./determinism/world-of-fixture.ts";
import type { WorkFolder } from "./work-folder.ts";

/** Whose process it is, and what it is handed. */
export interface ReplayProcess {
  readonly fixture: Fixture;
  readonly agent: { readonly passEnvironment?: readonly string[] };
  /** The environment the allow-list picks from. */
  readonly environment: Environment;
  /** What its runs are stored as. Default `replay`. */
  readonly runType?: ReplayRunType | undefined;
}

/** The environment of a process that replays a fixture: its clock and randomness, its folder, where its spans go. */
export const replayEnvironment = (
  { fixture, agent, environment, runType }: ReplayProcess,
  folder: WorkFolder,
  otlpUrl: string,
): Record<string, string> =>
  childEnvironment({
    parent: environment,
    passEnvironment: agent.passEnvironment ?? [],
    otlpUrl,
    fixtureId: fixture.id,
    runType,
    project: fixture.notes.source.project,
    serviceName: fixture.notes.source.service_name,
    baseFolder: folder.base,
    world: worldOfFixture(fixture),
  });
