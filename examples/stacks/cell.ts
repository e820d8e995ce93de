import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { ATTR_SILENT_RETRIES } from "../../instrumentation/semconv.ts";
import type { RunRow } from "../../processor/clickhouse/run-rows.ts";
import type { RunReader } from "../../processor/clickhouse/run-reader.ts";
import { runFactsFromSpans } from "../../processor/evidence/run-facts-from-spans.ts";
import type { ProviderServer } from "./provider-server.ts";
import { runProgram, type Ended } from "./run-program.ts";
import type { Format, StackVersion } from "./stacks.ts";

/** What all cells report to and are answered by. */
export interface CellPlace {
  readonly provider: ProviderServer;
  readonly otlpUrl: string;
  readonly clickhouseUrl: string;
  readonly reader: RunReader;
}

export interface Cell {
  readonly version: StackVersion;
  readonly format: Format;
  readonly nodeMajor: string;
  /** Path of the runtime. */
  readonly node: string;
  /** Folder of the project. */
  readonly project: string;
}

export interface CellResult {
  readonly stack: string;
  readonly age: string;
  readonly versions: string;
  readonly format: Format;
  readonly node: string;
  /** Absent when all is well. */
  readonly problem?: string;
  /** What was seen, for the table. */
  readonly tools: string;
  readonly exchanges: number;
  readonly silentRetries: number;
  readonly replay: string;
  readonly seconds: number;
}

interface Seen {
  tools?: string;
  exchanges?: number;
  silentRetries?: number;
  replay?: string;
}

const AGENT_MILLIS = 90_000;

/** Runs one cell and says what is wrong with it. Never rejects. */
export async function runCell(cell: Cell, place: CellPlace): Promise<CellResult> {
  const began = performance.now();
  const seen: Seen = {};
  const problem = await checkCell(cell, place, seen).catch((error: unknown) => String(error));
  const { version, format, nodeMajor } = cell;
  return {
    stack: version.stack,
    age: version.age,
    versions: Object.values(version.packages)[0] ?? "",
    format,
    node: nodeMajor,
    ...(problem === undefined ? {} : { problem }),
    tools: "",
    exchanges: 0,
    silentRetries: 0,
    replay: "",
    ...seen,
    seconds: Math.round((performance.now() - began) / 100) / 10,
  };
}

/** The run fails for one reason only: the report that its contract asks for and its agent never writes. */
async function checkCell(cell: Cell, place: CellPlace, seen: Seen): Promise<string | undefined> {
  const name = `${cell.version.stack}-${cell.version.age}-${cell.format}-${cell.nodeMajor}`;
  await writeFile(join(cell.project, "runproof.config.mjs"), configOf(name, cell));
  place.provider.reset();
  const ended = await runAgent(cell, place, name);
  if (ended.code !== 0) return `the agent ended with ${ended.code}: ${tail(ended)}`;
  const run = await judgedRun(place.reader, name);
  if (run === undefined) return `no judged run was stored: ${tail(ended)}`;
  const asked = [place.provider.requests(), await serverStarts(cell)];
  const problem = await checkRun({ cell, place, seen }, run, asked[0] ?? 0);
  if (problem !== undefined) return problem;
  const replayed = await replay(cell, place, { name, run, seen });
  if (replayed !== undefined) return replayed;
  const after = [place.provider.requests(), await serverStarts(cell)];
  return String(after) === String(asked) ? undefined : `the replay was not alone: ${asked} became ${after}`;
}

function configOf(name: string, { version, format }: Cell): string {
  const times = { exactly: version.calls };
  const expected = ["Bern", "Rome"].map((city) => ({ tool: "weather", arguments: { city }, times }));
  const contract = {
    artifacts: [{ name: "report", path: "report.json" }],
    sideEffects: { expected, others: "forbid" },
    tools: { allowed: ["weather", "wait", "resources/read"] },
  };
  const passEnvironment = ["STACKS_PROVIDER_URL", "STACKS_SERVER_LOG"];
  const module = format === "esm" ? "./run.mjs" : "./run.cjs";
  return `export default ${JSON.stringify({ agents: { [name]: { contract, module, passEnvironment } } })};\n`;
}

const environment = ({ project }: Cell, { provider }: CellPlace): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: project,
  RUNPROOF_STATE_DIR: join(project, "state"),
  STACKS_PROVIDER_URL: provider.url,
  STACKS_SERVER_LOG: join(project, "servers.log"),
});

async function runAgent(cell: Cell, place: CellPlace, name: string): Promise<Ended> {
  const { node, project, format, version } = cell;
  const file = join(project, format === "esm" ? "run.mjs" : "run.cjs");
  return await runProgram(node, {
    args: ["--import", await registerOf(project), file, version.agent],
    cwd: project,
    env: {
      ...environment(cell, place),
      RUNPROOF_ENDPOINT: place.otlpUrl,
      RUNPROOF_BOUNDARY: "process",
      RUNPROOF_AGENT_NAME: name,
    },
    timeoutMillis: AGENT_MILLIS,
  });
}

/** By its public name where the package exports it. */
async function registerOf(project: string): Promise<string> {
  const root = join(project, "node_modules", "runproof");
  const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { exports: object };
  if ("./register" in exports) return "runproof/register";
  return pathToFileURL(join(root, "dist", "processor", "register", "register.js")).href;
}

async function judgedRun(reader: RunReader, agent: string): Promise<RunRow | undefined> {
  for (let i = 0; i < 600; i++) {
    const [run] = await reader.currentRuns({ agent, limit: 1 });
    if (run !== undefined && run.status !== "" && run.closed_at !== null && run.status !== "started") return run;
    await sleep(200);
  }
  return undefined;
}

interface Checking {
  readonly cell: Cell;
  readonly place: CellPlace;
  readonly seen: Seen;
}

async function checkRun({ cell, place, seen }: Checking, run: RunRow, requests: number): Promise<string | undefined> {
  const spans = await place.reader.spansOfRun(run.trace_id);
  const { evidence, calls } = runFactsFromSpans(run.run_id, spans);
  const tools = evidence.toolCalls;
  const inferred = tools.filter((call) => call.isInferred === true).length;
  seen.tools = inferred > 0 ? `${tools.length} (${inferred} inferred)` : String(tools.length);
  seen.exchanges = calls.filter(({ kind }) => kind === "http").length;
  seen.silentRetries = Math.max(0, ...spans.map((span) => Number(span.SpanAttributes[ATTR_SILENT_RETRIES] ?? 0)));
  if (run.failure_class !== "missing_artifact_ref") return `judged ${run.status}: ${run.failure_reason}`;
  const codes = new Set(
    (JSON.parse(run.reasons) as { code: string; message: string }[]).map((it) => `${it.code} ${it.message}`),
  );
  if (codes.size !== 1) return `judged for more than the report: ${[...codes].join("; ")}`;
  if (!cell.version.asksModel) return undefined;
  if (seen.exchanges !== requests) return `${seen.exchanges} exchanges are recorded of ${requests}`;
  return seen.silentRetries === 1 ? undefined : `${seen.silentRetries} silent retries`;
}

interface Replaying {
  readonly name: string;
  readonly run: RunRow;
  readonly seen: Seen;
}

async function replay(cell: Cell, place: CellPlace, { name, run, seen }: Replaying): Promise<string | undefined> {
  const bin = join(cell.project, "node_modules", "runproof", "dist", "replay");
  const fixtures = join(cell.project, "fixtures");
  const program = async (args: readonly string[]): Promise<Ended> =>
    await runProgram(cell.node, {
      args,
      cwd: cell.project,
      env: environment(cell, place),
      timeoutMillis: AGENT_MILLIS,
    });
  const id = name.replaceAll("-", "_");
  const created = await program([
    ...[join(bin, "cli.js"), "fixture", "create", run.run_id, "--id", id, "--out", fixtures, "--force"],
    ...["--clickhouse-url", place.clickhouseUrl],
  ]);
  if (created.code !== 0) return `no fixture: ${tail(created)}`;
  const args = ["--fixture", join(fixtures, id), "--mode", "cassette", "--no-store", "--json"];
  const ended = await program([join(bin, "agent-replay.js"), ...args]);
  const told = parsed(ended.stdout);
  seen.replay = String(told?.result ?? `exit ${ended.code}`);
  const { misses = [], unused = [] } = told?.cassette ?? {};
  if (unused.length > 0) return `the replay left over: ${JSON.stringify(unused)}`;
  return seen.replay === "reproduced" && misses.length === 0
    ? undefined
    : `the replay came to ${seen.replay}: ${tail(ended)}`;
}

interface Report {
  readonly result: string;
  readonly cassette: { readonly misses: readonly object[]; readonly unused: readonly object[] };
}

function parsed(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

const tail = ({ stdout, stderr }: Ended): string => `${stderr.slice(-1_500)}${stdout.slice(-2_500)}`.trim();

/** How often a server of the agent was started as a child process. */
async function serverStarts({ project }: Cell): Promise<number> {
  const path = join(project, "servers.log");
  return existsSync(path) ? (await readFile(path, "utf8")).split("\n").length : 0;
}
