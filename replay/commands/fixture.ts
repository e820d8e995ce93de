import { resolve } from "node:path";
import { VERDICT_STATUSES, type VerdictStatus } from "../../instrumentation/contract/verdict.ts";
import { buildFixture } from "../fixture/build-fixture.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { fixtureIdFrom, fixtureIdProblem } from "../fixture/fixture-id.ts";
import { DEFAULT_FIXTURES_DIRECTORY, listFixtures, writeFixture } from "../fixture/fixture-store.ts";
import { loadConfig, type LoadedConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { redactorOf } from "./redactor-of.ts";
import { clickhouseUrl, withStore } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";
import { readStoredRun } from "./stored-run.ts";
import { table } from "./table.ts";

export interface FixtureCreateFlags {
  readonly id?: string;
  readonly out?: string;
  readonly force?: true;
  readonly json?: true;
  readonly clickhouseUrl?: string;
  readonly requiredStatus?: string;
}

/** `runproof fixture create <run_id>` */
export async function createFixture(
  runId: string,
  flags: FixtureCreateFlags,
  context: CommandContext,
): Promise<number> {
  const problem = flags.id === undefined ? undefined : fixtureIdProblem(flags.id);
  if (problem !== undefined) throw new UsageError(`--id: ${problem}`);
  const requiredStatus = statusesFrom(flags.requiredStatus);
  const loaded = await loadConfig(context.cwd);
  const url = clickhouseUrl(flags.clickhouseUrl, context, loaded);
  const run = await withStore(url, context, (reader) => readStoredRun(reader, runId));
  if (run === undefined) {
    return refuse(flags, context, [{ step: "run", reason: `the store at ${url} has no run ${runId}` }]);
  }
  const { facts, verdict } = run;
  const fixtureId = flags.id ?? fixtureIdFrom(facts.agentName, verdict.failureClass ?? verdict.status);
  const build = buildFixture(facts, verdict, { fixtureId, requiredStatus, redact: redactorOf(context).json });
  if (!build.ok) return refuse(flags, context, build.refusals);
  return await write(build.fixture, { flags, context, root: fixturesRoot(flags.out, context, loaded) });
}

/** Statuses separated by commas. A fixture that a failure satisfies would protect nothing. */
function statusesFrom(text: string | undefined): readonly VerdictStatus[] | undefined {
  const names = text?.split(",").map((name) => name.trim());
  return names?.map((name) => {
    const status = VERDICT_STATUSES.find((one) => one === name);
    if (status !== undefined && status !== "failed") return status;
    const others = VERDICT_STATUSES.filter((one) => one !== "failed");
    throw new UsageError(`--required-status takes ${others.join(", ")}, separated by commas`);
  });
}

interface Target {
  readonly flags: FixtureCreateFlags;
  readonly context: CommandContext;
  readonly root: string;
}

async function write(fixture: Fixture, { flags, context, root }: Target): Promise<number> {
  const writing = await writeFixture(root, fixture, { force: flags.force === true });
  switch (writing.status) {
    case "exists":
      throw new UsageError(`${writing.path} exists; --force replaces it, --id gives another name`);
    case "refused":
      return refuse(flags, context, [{ step: "fixture", reason: writing.reason }]);
    case "written":
      break;
  }
  const { notes, cassette } = fixture;
  if (flags.json) {
    const {
      id,
      notes: { state, failure_class },
    } = fixture;
    context.stdout.write(
      safeJson({
        ok: true,
        fixture_id: id,
        path: writing.path,
        state,
        failure_class,
        interactions: cassette.interactions.length,
      }),
    );
  } else {
    context.stdout.write(`${writing.path}\n`);
    const calls = `${cassette.interactions.length} recorded calls`;
    context.stderr.write(`${notes.state} for ${notes.failure_class}, ${calls}; replay it with:\n`);
    context.stderr.write(`  agent-replay --fixture ${writing.path} --mode cassette\n`);
  }
  return EXIT.ok;
}

function refuse(
  flags: FixtureCreateFlags,
  context: CommandContext,
  refusals: readonly { readonly step: string; readonly reason: string }[],
): number {
  if (flags.json) context.stdout.write(safeJson({ ok: false, refusals }));
  context.stderr.write("error: the run cannot become a fixture\n");
  for (const { step, reason } of refusals) context.stderr.write(`  ${safeLine(step)}: ${safeLine(reason)}\n`);
  return EXIT.finding;
}

export interface FixtureListFlags {
  readonly out?: string;
  readonly json?: true;
}

/** `runproof fixture list` */
export async function listAllFixtures(flags: FixtureListFlags, context: CommandContext): Promise<number> {
  const listings = await listFixtures(fixturesRoot(flags.out, context, await loadConfig(context.cwd)));
  const rows = listings.map(({ id, path, reading }) =>
    reading.ok
      ? {
          fixture_id: id,
          path,
          agent_name: reading.fixture.input.agent_name,
          state: reading.fixture.notes.state,
          failure_class: reading.fixture.notes.failure_class,
          recorded_at: reading.fixture.notes.recorded_at,
          problems: [],
        }
      : {
          fixture_id: id,
          path,
          agent_name: "",
          state: "unreadable",
          failure_class: "",
          recorded_at: "",
          problems: reading.problems,
        },
  );
  if (flags.json) context.stdout.write(safeJson(rows));
  else if (rows.length === 0) context.stderr.write("no fixtures\n");
  else {
    const cells = rows.map((it) => [
      it.fixture_id,
      it.state,
      it.agent_name,
      it.failure_class,
      it.recorded_at,
      it.problems[0]?.reason ?? "",
    ]);
    context.stdout.write(table(["FIXTURE", "STATE", "AGENT", "FAILURE", "RECORDED", "PROBLEM"], cells));
  }
  return EXIT.ok;
}

const fixturesRoot = (flag: string | undefined, context: CommandContext, loaded: LoadedConfig): string =>
  flag === undefined
    ? resolve(loaded.directory, loaded.config.fixturesDirectory ?? DEFAULT_FIXTURES_DIRECTORY)
    : resolve(context.cwd, flag);
