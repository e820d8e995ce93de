import { join, resolve } from "node:path";
import { lstat } from "node:fs/promises";
import { readFixtureOnDisk, writeLifeCycle } from "../certify/fixture-on-disk.ts";
import { DEFAULT_MAX_AGE_DAYS, type LifeCycle } from "../certify/life-cycle.ts";
import { lifeCycleNow, type LifeCycleOptions, type NewestRun } from "../certify/life-cycle-now.ts";
import { openRepository } from "../certify/repository.ts";
import { loadConfig, type LoadedConfig } from "../config.ts";
import { DEFAULT_FIXTURES_DIRECTORY, listFixtures } from "../fixture/fixture-store.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import { fixtureOrUsageError } from "./certify.ts";
import type { CommandContext } from "./context.ts";
import { newestRunIn } from "./newest-run.ts";
import { clickhouseUrl } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";
import { table } from "./table.ts";

export interface FixtureStatusFlags {
  readonly maxAge?: string;
  readonly check?: true;
  readonly store: boolean;
  readonly clickhouseUrl?: string;
  readonly json?: true;
}

/** `runproof fixture status [dir]`: of one fixture, or of all in a folder. */
export async function fixtureStatus(
  directory: string | undefined,
  flags: FixtureStatusFlags,
  context: CommandContext,
): Promise<number> {
  const loaded = await loadConfig(context.cwd);
  const maxAgeDays = maxAgeFrom(flags.maxAge, loaded);
  const repository = await openRepository(context.cwd, context.env).catch(() => null);
  const newestRun = flags.store ? newestRunFrom(flags, context, loaded) : undefined;
  const rows: StatusRow[] = [];
  for (const path of await fixturePaths(directory, context, loaded)) {
    rows.push(await statusRow(path, { repository, maxAgeDays, newestRun, now: Date.now() }));
  }
  tell(rows, flags, context);
  const isGood = rows.every(({ state }) => state === "certified" || state === "retired");
  return flags.check === true && !isGood ? EXIT.finding : EXIT.ok;
}

/** `runproof fixture retire <dir> --reason <text>` */
export async function retireFixture(
  directory: string,
  { reason }: { readonly reason: string },
  context: CommandContext,
): Promise<number> {
  if (reason.trim() === "" || reason.length > 1_000) throw new UsageError("--reason is 1 to 1000 characters of text");
  const onDisk = await fixtureOrUsageError(resolve(context.cwd, directory));
  const retirement = { reason, retired_at: new Date().toISOString() };
  const { certification } = onDisk.fixture.notes;
  const writing = await writeLifeCycle(onDisk, { state: "retired", certification, retirement });
  if (!writing.ok) throw new Error(writing.reason);
  context.stdout.write(`retired  ${onDisk.fixture.id}\n`);
  return EXIT.ok;
}

interface StatusRow {
  readonly fixture_id: string;
  readonly path: string;
  readonly state: LifeCycle["state"] | "unreadable";
  /** What the file says. */
  readonly claimed: string;
  readonly agent_name: string;
  readonly failure_class: string;
  readonly certified_at: string | null;
  readonly reasons: readonly string[];
}

async function statusRow(path: string, options: LifeCycleOptions): Promise<StatusRow> {
  const reading = await readFixtureOnDisk(path);
  if (!reading.ok) {
    const reasons = reading.problems.map(({ reason }) => reason);
    const unread = { claimed: "", agent_name: "", failure_class: "", certified_at: null };
    return { fixture_id: path.split("/").at(-1) ?? "", path, state: "unreadable", ...unread, reasons };
  }
  const { fixture } = reading.value;
  const { state, reasons } = await lifeCycleNow(reading.value, options);
  return {
    fixture_id: fixture.id,
    path,
    state,
    claimed: fixture.notes.state,
    agent_name: fixture.input.agent_name,
    failure_class: fixture.notes.failure_class,
    certified_at: fixture.notes.certification?.certified_at ?? null,
    reasons,
  };
}

/** One fixture, or each of a folder of them. */
async function fixturePaths(
  directory: string | undefined,
  context: CommandContext,
  loaded: LoadedConfig,
): Promise<readonly string[]> {
  const root =
    directory === undefined
      ? resolve(loaded.directory, loaded.config.fixturesDirectory ?? DEFAULT_FIXTURES_DIRECTORY)
      : resolve(context.cwd, directory);
  if (await lstat(join(root, "notes.json")).catch(() => undefined)) return [root];
  return (await listFixtures(root)).map(({ path }) => path);
}

/** Without a store there is nothing to compare with, unless one was named. */
function newestRunFrom(flags: FixtureStatusFlags, context: CommandContext, loaded: LoadedConfig): NewestRun {
  const url = clickhouseUrl(flags.clickhouseUrl, context, loaded);
  return newestRunIn(url, context, (error) => {
    if (flags.clickhouseUrl !== undefined) throw error;
    context.stderr.write("note: no store answers; prompt version, model and tools are not compared with live runs\n");
  });
}

function maxAgeFrom(flag: string | undefined, { config }: LoadedConfig): number {
  if (flag === undefined) return config.certificateMaxAgeDays ?? DEFAULT_MAX_AGE_DAYS;
  const days = Number(flag);
  if (!(days > 0 && days <= 36_500)) throw new UsageError("--max-age must be a number of days above 0");
  return days;
}

function tell(rows: readonly StatusRow[], flags: FixtureStatusFlags, context: CommandContext): void {
  if (flags.json) context.stdout.write(safeJson(rows));
  else if (rows.length === 0) context.stderr.write("no fixtures\n");
  else {
    const cells = rows.map((it) => [it.fixture_id, it.state, it.agent_name, it.failure_class, it.certified_at ?? "-"]);
    context.stdout.write(table(["FIXTURE", "STATE", "AGENT", "FAILURE", "CERTIFIED"], cells));
    const why = rows.flatMap((it) => it.reasons.map((reason) => `${it.fixture_id}: ${safeLine(reason)}\n`));
    context.stdout.write(why.length === 0 ? "" : `\n${why.join("")}`);
  }
}
