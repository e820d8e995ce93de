import type { Fixture } from "../../fixture/fixture-format.ts";
import type { ReplayWorld } from "./replay-world.ts";

/** The world a fixture's replays live in. */
export interface FixtureWorld extends Pick<ReplayWorld, "startUnixMillis" | "seed"> {
  /** IANA name. Default UTC. */
  readonly timeZone?: string | undefined;
  /** BCP 47. Default the C locale. */
  readonly locale?: string | undefined;
}

/** Follows from the fixture alone, so that each of its replays has the same. */
export function worldOfFixture({ id, input, notes }: Pick<Fixture, "id" | "input" | "notes">): FixtureWorld {
  const { started_at: startedAt, time_zone: timeZone, locale } = input.environment ?? {};
  const startUnixMillis = Date.parse(startedAt ?? notes.recorded_at);
  return { startUnixMillis: Number.isFinite(startUnixMillis) ? startUnixMillis : 0, seed: id, timeZone, locale };
}
