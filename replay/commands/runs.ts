import { RUN_TYPES } from "../../instrumentation/contract/run-record.ts";
import type { RunFilter } from "../../processor/clickhouse/run-reader.ts";
import { loadConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { inOwnScope } from "../scope/in-own-scope.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { clickhouseUrl, withStore } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";
import { isoFromNanos, runRecordFromRow } from "./run-record-json.ts";
import { runDetails, runDetailsText } from "./run-details.ts";
import { parseSince } from "./since.ts";
import { readStoredRun } from "./stored-run.ts";
import { table } from "./table.ts";

export interface RunsListFlags {
  readonly agent?: string;
  readonly project?: string;
  readonly status?: string;
  readonly type?: string;
  readonly since?: string;
  readonly limit?: string;
  readonly json?: true;
  readonly clickhouseUrl?: string;
}

/** `runproof runs list` */
export async function listRuns(flags: RunsListFlags, context: CommandContext): Promise<number> {
  const filter = filterFrom(flags);
  const loaded = await loadConfig(context.cwd);
  const url = clickhouseUrl(flags.clickhouseUrl, context, loaded);
  const read = (one: RunFilter) => withStore(url, context, (reader) => reader.currentRuns(one));
  const { project } = flags;
  const found =
    project === undefined
      ? { value: await read(filter) }
      : await inOwnScope({ context, loaded, project, operation: "runs.list" }, (scope) =>
          read({ ...filter, project: scope }),
        );
  if ("exitCode" in found) return found.exitCode;
  const rows = found.value;
  if (flags.json) context.stdout.write(safeJson(rows.map(runRecordFromRow)));
  else if (rows.length === 0) context.stderr.write("no runs\n");
  else {
    const lines = rows.map((row) => [
      isoFromNanos(row.started_at).slice(0, 19),
      row.status,
      row.agent_name,
      row.run_type,
      row.failure_class || "-",
      row.run_id,
      row.fixture_id || "-",
    ]);
    context.stdout.write(table(["STARTED (UTC)", "STATUS", "AGENT", "TYPE", "FAILURE", "RUN", "FIXTURE"], lines));
  }
  return EXIT.ok;
}

function filterFrom({ agent, status, type, since, limit = "50" }: RunsListFlags): RunFilter {
  const runType = RUN_TYPES.find((one) => one === type);
  if (type !== undefined && runType === undefined)
    throw new UsageError(`--type must be one of ${RUN_TYPES.join(", ")}`);
  if (!/^[1-9]\d{0,4}$/.test(limit) || Number(limit) > 10_000) throw new UsageError("--limit must be 1 to 10000");
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(status === undefined ? {} : { status }),
    ...(runType === undefined ? {} : { type: runType }),
    ...(since === undefined ? {} : { since: parseSince(since, Date.now()) }),
    limit: Number(limit),
  };
}

export interface RunsShowFlags {
  readonly json?: true;
  readonly clickhouseUrl?: string;
}

/** `runproof runs show <run_id>` */
export async function showRun(runId: string, flags: RunsShowFlags, context: CommandContext): Promise<number> {
  const url = clickhouseUrl(flags.clickhouseUrl, context, await loadConfig(context.cwd));
  const details = await withStore(url, context, async (reader) => {
    const run = await readStoredRun(reader, runId);
    return run && runDetails(run, await reader.runHistory(runId, run.row.project));
  });
  if (details === undefined) {
    context.stderr.write(`error: the store at ${safeLine(url)} has no run ${safeLine(runId)}\n`);
    return EXIT.finding;
  }
  context.stdout.write(flags.json ? safeJson(details) : runDetailsText(details));
  return EXIT.ok;
}
