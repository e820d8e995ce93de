import type { LoadedConfig } from "../config.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import type { AgentModule, ReplayMode } from "../sandbox/run-child.ts";
import { replayFixture, type ReplayOptions } from "../worker/replay-fixture.ts";
import type { ReplayResult } from "../worker/replay-result.ts";
import { configuredAgent, redactionKeyFile } from "./agent-module.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./run-command-line.ts";
import { timeoutFrom } from "./timeout-flag.ts";

export interface ReplayAtRefFlags {
  readonly mode?: string;
  readonly runs?: string;
  readonly timeout?: string;
}

const MAX_RUNS = 100;

/**
 * Replays a fixture with code of some commit. Not stored: a monitor would take the failures of a broken ref for failures
 * of today.
 */
export function replayAtRef(
  fixture: Fixture,
  flags: ReplayAtRefFlags,
  { context, loaded }: { readonly context: CommandContext; readonly loaded: LoadedConfig },
): (agent: AgentModule) => Promise<ReplayResult> {
  const options: ReplayOptions = {
    mode: modeFrom(flags.mode),
    environment: context.env,
    storeUrl: null,
    ignore: configuredAgent(loaded, fixture.input.agent_name)?.ignore ?? [],
    ...timeoutFrom(flags.timeout),
    redactionKeyFile: redactionKeyFile(context),
    signal: context.signal,
  };
  return (agent) => replayFixture(fixture, agent, options);
}

/** Not `live`: what the world answers today proves nothing about a recorded failure. */
export function modeFrom(mode = "cassette"): ReplayMode {
  if (mode === "cassette" || mode === "strict") return mode;
  throw new UsageError(`--mode must be cassette or strict, not ${JSON.stringify(mode)}`);
}

export function runsFrom(runs: string | undefined, fallback: number): number {
  if (runs === undefined) return fallback;
  if (/^[1-9]\d{0,2}$/.test(runs) && Number(runs) <= MAX_RUNS) return Number(runs);
  throw new UsageError(`--runs must be 1 to ${MAX_RUNS}`);
}
