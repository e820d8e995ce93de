import { lstat, mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { loadConfig, type LoadedConfig } from "../config.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { fixtureIdProblem } from "../fixture/fixture-id.ts";
import { readFixture, writeFixture } from "../fixture/fixture-store.ts";
import { type Minimisation, minimiseFixture } from "../minimise/minimise-fixture.ts";
import { createProgressDisplay } from "../minimise/progress-line.ts";
import {
  readSavedSearch,
  removeSavedSearch,
  type SavedSearch,
  saveSearch,
  sourceSha256,
} from "../minimise/saved-search.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT, exitCodeOf } from "../worker/exit-codes.ts";
import { agentCode } from "./agent-code.ts";
import { agentModule, configuredAgent, redactionKeyFile } from "./agent-module.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./run-command-line.ts";

export interface FixtureMinimiseFlags {
  readonly agent?: string;
  readonly export?: string;
  readonly fixedAgent?: string;
  readonly fixedExport?: string;
  readonly out?: string;
  readonly id?: string;
  readonly force?: true;
  readonly resume?: true;
  readonly jobs?: string;
  readonly maxReplays?: string;
  readonly timeout?: string;
  readonly json?: true;
}

/** `runproof fixture minimise <fixture dir>` */
export async function minimiseCommand(
  directory: string,
  flags: FixtureMinimiseFlags,
  context: CommandContext,
): Promise<number> {
  const numbers = numbersFrom(flags);
  const loaded = await loadConfig(context.cwd);
  const path = resolve(context.cwd, directory);
  const reading = await readFixture(path);
  if (!reading.ok) {
    context.stderr.write("error: the fixture is refused\n");
    for (const { file, reason } of reading.problems) context.stderr.write(`  ${safeLine(file)}: ${safeLine(reason)}\n`);
    return EXIT.usage;
  }
  const { fixture } = reading;
  const place = await placeOf(fixture, path, flags, context);
  const saved = flags.resume ? await savedSearch(place, fixture) : undefined;
  const progress = createProgressDisplay(context.stderr);
  const found = await minimiseFixture(fixture, {
    ...brokenAgent(flags, context, loaded, fixture.input.agent_name),
    ...fixedAgent(flags, context, loaded, fixture),
    fixtureId: place.id,
    environment: context.env,
    redactionKeyFile: redactionKeyFile(context),
    ...numbers,
    ...(saved === undefined ? {} : { saved }),
    onSave: (search) => saveSearch(place.searchFile, search),
    onProgress: (at) => progress.show(at),
    signal: context.signal,
  });
  progress.clear();
  return found.type === "minimised"
    ? await write(found, { place, flags, context, directory })
    : failed(found, flags, context);
}

/** The code that shows the failure: a module, or what the configuration names, which may be a command. */
function brokenAgent(flags: FixtureMinimiseFlags, context: CommandContext, loaded: LoadedConfig, name: string) {
  const configured = configuredAgent(loaded, name);
  if (flags.agent !== undefined || configured?.command === undefined) {
    return { agent: agentModule(flags, context, loaded, name), ignore: configured?.ignore ?? [] };
  }
  if (flags.fixedAgent !== undefined) throw new UsageError(`--fixed-agent is for modules; "${name}" is a command`);
  const code = agentCode(loaded, name);
  if ("problem" in code) throw new UsageError(code.problem);
  return code;
}

/** Named like the agent, but never found in the configuration: that names the code that is in use. */
function fixedAgent(flags: FixtureMinimiseFlags, context: CommandContext, loaded: LoadedConfig, fixture: Fixture) {
  const { fixedAgent: agent = flags.fixedExport === undefined ? undefined : flags.agent, fixedExport } = flags;
  if (agent === undefined) {
    if (fixedExport !== undefined) throw new UsageError("--fixed-export needs --fixed-agent or --agent");
    return {};
  }
  const named = { agent, ...(fixedExport === undefined ? {} : { export: fixedExport }) };
  return { fixedAgent: agentModule(named, context, loaded, fixture.input.agent_name) };
}

/** Where the smaller fixture goes, and the search while it is not done. */
interface Place {
  readonly root: string;
  readonly id: string;
  readonly searchFile: string;
}

const SUFFIX = "_min";
const MAX_ID_LENGTH = 64;

/** Found out before the work begins: nobody waits a minute to be told that a name is taken. */
async function placeOf(
  fixture: Fixture,
  path: string,
  flags: FixtureMinimiseFlags,
  context: CommandContext,
): Promise<Place> {
  const id = flags.id ?? `${fixture.id.slice(0, MAX_ID_LENGTH - SUFFIX.length)}${SUFFIX}`;
  const problem = fixtureIdProblem(id);
  if (problem !== undefined) throw new UsageError(`--id: ${problem}`);
  const root = flags.out === undefined ? dirname(path) : resolve(context.cwd, flags.out);
  const isTaken = (await lstat(join(root, id)).catch(() => undefined)) !== undefined;
  if (isTaken && flags.force !== true && flags.resume !== true) {
    throw new UsageError(`${join(root, id)} exists; --force replaces it, --id gives another name`);
  }
  await mkdir(root, { recursive: true });
  return { root, id, searchFile: join(root, `.${id}.minimise.json`) };
}

async function savedSearch({ searchFile }: Place, fixture: Fixture): Promise<SavedSearch> {
  const reading = await readSavedSearch(searchFile, sourceSha256(fixture));
  if (reading.type === "found") return reading.search;
  const reason = reading.type === "none" ? "does not exist; start without --resume" : reading.reason;
  throw new UsageError(`--resume: ${searchFile} ${reason}`);
}

type Found = Extract<Minimisation, { type: "minimised" }>;

interface Target {
  readonly place: Place;
  readonly flags: FixtureMinimiseFlags;
  readonly context: CommandContext;
  readonly directory: string;
}

async function write(found: Found, { place, flags, context, directory }: Target): Promise<number> {
  const writing = await writeFixture(place.root, found.fixture, {
    force: flags.force === true || flags.resume === true,
  });
  if (writing.status !== "written") {
    const reason = writing.status === "refused" ? writing.reason : `${writing.path} exists`;
    context.stderr.write(`error: the smaller fixture is not written: ${safeLine(reason)}\n`);
    return EXIT.finding;
  }
  if (found.isOneMinimal) await removeSavedSearch(place.searchFile);
  const { minimised } = found.fixture.notes;
  const { replayed, isOneMinimal } = found;
  if (flags.json) {
    const document = { ok: true, fixture_id: place.id, path: writing.path, ...minimised, replayed };
    context.stdout.write(safeJson(document));
  } else {
    context.stdout.write(`${writing.path}\n`);
    if (minimised !== undefined) {
      const { bytes, interactions } = minimised;
      const calls = `${interactions.before} to ${interactions.after} calls`;
      context.stderr.write(`${bytes.before} to ${bytes.after} bytes, ${calls}, ${replayed} candidates replayed\n`);
    }
  }
  if (!isOneMinimal) {
    context.stderr.write("stopped early: this is the smallest that was found so far. Go on with:\n");
    context.stderr.write(
      `  runproof fixture minimise ${safeLine(directory)} --resume (and the other options as before)\n`,
    );
  }
  return context.signal.aborted ? EXIT.interrupted : EXIT.ok;
}

function failed(found: Exclude<Minimisation, Found>, flags: FixtureMinimiseFlags, context: CommandContext): number {
  if (found.type === "interrupted") return EXIT.interrupted;
  const { outcome, explanation } = found.result;
  if (flags.json) context.stdout.write(safeJson({ ok: false, problem: found.type, outcome, explanation }));
  context.stderr.write(`error: ${TOLD[found.type]}\n  ${outcome}: ${safeLine(explanation, 2_000)}\n`);
  if (found.type === "unstable") return EXIT.inconclusive;
  // A pass is no success here.
  return outcome === "fixed" ? EXIT.finding : exitCodeOf(outcome);
}

const TOLD = {
  not_reproduced: "the fixture does not show its failure with this code, so there is nothing to keep",
  not_fixed: "the fixed code does not pass on the fixture",
  unstable:
    "the smaller fixture does not show the failure each time: the agent does not do the same on the same answers",
} as const;

function numbersFrom({ jobs, maxReplays, timeout }: FixtureMinimiseFlags) {
  const whole = (flag: string, text: string, max: number): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > max)
      throw new UsageError(`${flag} must be a whole number from 1 to ${max}`);
    return value;
  };
  return {
    jobs: jobs === undefined ? Math.min(availableParallelism(), DEFAULT_MAX_JOBS) : whole("--jobs", jobs, 64),
    ...(maxReplays === undefined ? {} : { maxReplays: whole("--max-replays", maxReplays, 1_000_000) }),
    ...(timeout === undefined ? {} : { timeoutMillis: whole("--timeout", timeout, 2_000_000) * 1_000 }),
  };
}

/** Tried ahead, most candidates are for nothing: more jobs bring less and less. */
const DEFAULT_MAX_JOBS = 4;
