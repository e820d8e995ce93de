import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SEEDS } from "../seeds.ts";
import type { Place } from "./place.ts";
import type { Programs } from "./processes.ts";

/** What became of one seed, without anybody doing anything. */
export interface SeedOutcome {
  readonly seed: string;
  readonly agent: string;
  readonly failureClass: string;
  readonly failedRun: boolean;
  readonly fixture: string | null;
  readonly failingCanary: boolean;
  readonly alert: boolean;
  /** From the end of the first bad run to the alert. */
  readonly silentMinutes: number | null;
}

interface Found {
  readonly runs: readonly { readonly agent_name: string; readonly failure_class: string; readonly status: string }[];
  readonly fixtures: readonly {
    readonly fixture_id: string;
    readonly agent_name: string;
    readonly failure_class: string;
  }[];
  readonly failing: ReadonlySet<string>;
  readonly alerts: readonly Alert[];
}

interface Alert {
  readonly agent_name: string;
  readonly failure_class: string;
  readonly silent_failure_window_minutes: number;
}

/** Looks until each seed has come all the way, or `limitSeconds` are over. */
export async function watchSeeds(programs: Programs, place: Place, limitSeconds: number): Promise<SeedOutcome[]> {
  const deadline = Date.now() + limitSeconds * 1_000;
  for (;;) {
    const outcomes = outcomesOf(await look(programs, place));
    const isDone = outcomes.every(
      ({ failedRun, fixture, failingCanary, alert }) => failedRun && fixture && failingCanary && alert,
    );
    if (isDone || Date.now() > deadline) return outcomes;
    await sleep(1_000);
  }
}

async function look(programs: Programs, place: Place): Promise<Found> {
  const json = async (args: readonly string[]): Promise<unknown> => {
    const { stdout, stderr } = await programs.runproof([...args, "--json"], place.fleet);
    try {
      return JSON.parse(stdout);
    } catch {
      throw new Error(`runproof ${args.join(" ")}: ${stderr.trim()}`);
    }
  };
  const runs = (await json(["runs", "list", "--type", "live", "--limit", "1000"])) as Found["runs"];
  const fixtures = (await json(["fixture", "list", "--out", join(place.directory, "fixtures")])) as Found["fixtures"];
  const alerts = (await json(["alerts", "list", "--state", "all", "--limit", "1000"])) as Alert[];
  const figures = (await (await fetch(`http://127.0.0.1:${place.ports.admin}/v1/monitor`)).json()) as {
    tiers?: { fixtures: { fixture_id: string; outcome: string }[] }[];
  };
  const canaries = (figures.tiers ?? []).flatMap((tier) => tier.fixtures);
  const failing = canaries.filter(({ outcome }) => outcome === "failing").map(({ fixture_id }) => fixture_id);
  return { runs, fixtures, failing: new Set(failing), alerts };
}

const outcomesOf = ({ runs, fixtures, failing, alerts }: Found): SeedOutcome[] =>
  SEEDS.map(({ name, agent, failureClass }) => {
    const isOfSeed = (it: { agent_name: string; failure_class: string }): boolean =>
      it.agent_name === agent && it.failure_class === failureClass;
    const fixture = fixtures.find(isOfSeed)?.fixture_id ?? null;
    const alert = alerts.find(isOfSeed);
    return {
      seed: name,
      agent,
      failureClass,
      failedRun: runs.some((run) => run.status === "failed" && isOfSeed(run)),
      fixture,
      failingCanary: fixture !== null && failing.has(fixture),
      alert: alert !== undefined,
      silentMinutes: alert?.silent_failure_window_minutes ?? null,
    };
  });

/** The silent-failure window of each class: the longest of its seeds. */
export function windowsByClass(
  outcomes: readonly SeedOutcome[],
): { failureClass: string; seeds: number; minutes: number | null }[] {
  return [...Map.groupBy(outcomes, ({ failureClass }) => failureClass)].map(([failureClass, seeds]) => {
    const minutes = seeds.map(({ silentMinutes }) => silentMinutes);
    // One that nobody was told of is a window that is still open.
    return {
      failureClass,
      seeds: seeds.length,
      minutes: minutes.includes(null) ? null : Math.max(...(minutes as number[])),
    };
  });
}
