import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { type LoadedConfig, loadConfig } from "../config.ts";
import { DEFAULT_FIXTURES_DIRECTORY } from "../fixture/fixture-store.ts";
import { safeJson } from "../safe-text.ts";
import { createChildPool } from "../sandbox/child-pool.ts";
import { githubAnnotations, withoutCommands } from "../suite/github-annotations.ts";
import { junitXml } from "../suite/junit.ts";
import { runSuite, type SuiteOptions } from "../suite/run-suite.ts";
import { parseShard, type Shard } from "../suite/shard.ts";
import type { SuiteEntry } from "../suite/suite-entry.ts";
import { suiteExitCode } from "../suite/suite-exit-code.ts";
import { progressLine, suiteJson, suiteReport } from "../suite/suite-report.ts";
import { selectFixtures } from "../suite/suite-selection.ts";
import { EXIT } from "../worker/exit-codes.ts";
import { styleFor } from "../worker/report.ts";
import { redactionKeyFile } from "./agent-module.ts";
import { agentCode } from "./agent-code.ts";
import type { CommandContext } from "./context.ts";
import { otlpUrl } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";

export interface FixtureRunFlags {
  readonly mode: string;
  readonly shard?: string;
  readonly filter?: string;
  readonly jobs?: string;
  readonly warm?: true;
  readonly junit?: string;
  readonly github?: true;
  readonly timeout?: string;
  readonly endpoint?: string;
  readonly store: boolean;
  readonly json?: true;
}

/** `runproof fixture run [dir]`: replays the fixtures of a folder, several at a time. */
export async function runFixtures(
  directory: string | undefined,
  flags: FixtureRunFlags,
  context: CommandContext,
): Promise<number> {
  const mode = modeFrom(flags);
  const [shard, jobs] = [shardFrom(flags.shard), numberFrom("--jobs", flags.jobs, 256) ?? availableParallelism()];
  const timeoutSeconds = numberFrom("--timeout", flags.timeout, 2_000_000);
  const loaded = await loadConfig(context.cwd);
  const root = fixturesRoot(directory, context, loaded);
  const { listings, total } = await selectFixtures(root, { filter: flags.filter, shard });
  if (total === 0) throw new UsageError(`there are no fixtures in ${root}`);
  if (listings.length === 0) context.stderr.write("note: no fixture of the folder is selected\n");
  const pool = flags.warm ? createChildPool({ size: jobs, usesPerChild: 100, environment: context.env }) : undefined;
  try {
    const entries = await runSuite(listings, {
      jobs,
      agentOf: (name) => agentCode(loaded, name),
      replay: {
        mode,
        environment: context.env,
        storeUrl: flags.store ? otlpUrl(flags.endpoint, context, loaded) : null,
        redactionKeyFile: redactionKeyFile(context),
        ...(timeoutSeconds !== undefined && { timeoutMillis: timeoutSeconds * 1_000 }),
        ...(pool && { runAgent: pool.run }),
      },
      signal: context.signal,
      onEntry: progressTo(flags, context, listings.length),
    });
    return await tell(entries, { flags, context, root });
  } finally {
    await pool?.close();
  }
}

function progressTo(
  flags: FixtureRunFlags,
  context: CommandContext,
  total: number,
): NonNullable<SuiteOptions["onEntry"]> {
  const style = styleFor(context.stderr);
  let done = 0;
  return (entry) => {
    const line = progressLine(entry, { done: ++done, total }, style);
    context.stderr.write(flags.github ? withoutCommands(line) : line);
  };
}

interface Telling {
  readonly flags: FixtureRunFlags;
  readonly context: CommandContext;
  readonly root: string;
}

async function tell(entries: readonly SuiteEntry[], { flags, context, root }: Telling): Promise<number> {
  const code = context.signal.aborted ? EXIT.interrupted : suiteExitCode(entries);
  if (flags.junit !== undefined) await writeFile(resolve(context.cwd, flags.junit), junitXml(entries, { name: root }));
  if (flags.json) context.stdout.write(safeJson(suiteJson(entries, code)));
  else {
    const report = suiteReport(entries, styleFor(context.stdout));
    context.stdout.write(flags.github ? withoutCommands(report) : report);
  }
  // Beside a JSON document they go to the other stream; a workflow reads both.
  const annotations = flags.github ? githubAnnotations(entries, context.env["GITHUB_WORKSPACE"] || context.cwd) : "";
  (flags.json ? context.stderr : context.stdout).write(annotations);
  return code;
}

const fixturesRoot = (directory: string | undefined, context: CommandContext, loaded: LoadedConfig): string =>
  directory === undefined
    ? resolve(loaded.directory, loaded.config.fixturesDirectory ?? DEFAULT_FIXTURES_DIRECTORY)
    : resolve(context.cwd, directory);

function modeFrom({ mode, warm }: FixtureRunFlags): "cassette" | "strict" {
  if (mode !== "cassette" && mode !== "strict")
    throw new UsageError(`--mode must be cassette or strict, not "${mode}"; agent-replay has the mode live`);
  if (mode === "strict" && warm)
    throw new UsageError("--warm is for the mode cassette: strict starts every agent behind a wall");
  return mode;
}

function shardFrom(text: string | undefined): Shard | undefined {
  if (text === undefined) return undefined;
  const shard = parseShard(text);
  if (shard === undefined) throw new UsageError("--shard is <index>/<count>, as 1/4, with 1 <= index <= count");
  return shard;
}

function numberFrom(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const isCount = flag !== "--jobs" || Number.isInteger(value);
  if (!(value > 0 && value <= max && isCount)) throw new UsageError(`${flag} must be a number above 0, at most ${max}`);
  return value;
}
