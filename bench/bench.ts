/**
 * `npm run bench [-- --quick] [-- --json]`: flat out, side by side, in alternating rounds: what the engine can do at all,
 * the service from the socket to stored rows, and the usual path. Prints medians and their ratios, and at the end the rate of
 * cassette replays.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { startCollector, startService } from "./collector.ts";
import { type CeilingResult, runCeiling } from "./engine-ceiling.ts";
import { median, rounded } from "./figures.ts";
import { type FlatOutLoad, type FlatOutResult, runFlatOut } from "./flat-out.ts";
import { print } from "./measure.ts";
import { measureReplays, printReplays } from "./replays.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const seconds = Number(values.seconds ?? (values.quick ? 4 : 8));
const LOAD: FlatOutLoad = { seconds, inFlight: 32, gzip: false, runs: false };
const usual = (acknowledge: "stored" | "memory") => (dataDirectory: string) =>
  startCollector({ script: "./usual-collector.ts", args: [acknowledge, dataDirectory] });

const OURS = "(b) runproof" as const;
const USUAL = "(c) usual path, acknowledged when stored" as const;
const WORKS = {
  [OURS]: () => runFlatOut(startService, LOAD),
  [USUAL]: () => runFlatOut(usual("stored"), LOAD),
  "(b) gzip": () => runFlatOut(startService, { ...LOAD, gzip: true }),
  "(b) with runs to judge": () => runFlatOut(startService, { ...LOAD, runs: true }),
  "(c) acknowledged from memory": () => runFlatOut(usual("memory"), LOAD),
} as const;
type Name = keyof typeof WORKS;

const ceilings: CeilingResult[] = [];
const results = new Map<Name, FlatOutResult[]>();
for (let round = 0; round < rounds; round++) {
  ceilings.push(await runCeiling(seconds / 2));
  for (const [name, work] of Object.entries(WORKS) as [Name, () => Promise<FlatOutResult>][]) {
    if (name !== OURS && name !== USUAL && (values.quick || round > 0)) continue;
    results.set(name, [...(results.get(name) ?? []), await work()]);
    process.stderr.write(".");
  }
}
process.stderr.write("\n");

function medians<Result extends object>(rows: readonly Result[]): Result {
  const keys = Object.keys(rows[0] ?? {}) as (keyof Result)[];
  return Object.fromEntries(keys.map((key) => [key, median(rows.map((row) => Number(row[key])))])) as Result;
}

const ceiling = medians(ceilings);
const table = Object.fromEntries([...results].map(([name, rows]) => [name, medians(rows)])) as Record<
  Name,
  FlatOutResult
>;
const [ours, theirs] = [table[OURS], table[USUAL]];
const goals = [
  { what: "(b) spans/s", goal: 60_000, measured: ours.spansPerSecond },
  { what: "(b) / (c) throughput", goal: 3.5, measured: rounded(ours.spansPerSecond / theirs.spansPerSecond, 2) },
  { what: "(c) / (b) CPU per span", goal: 3.5, measured: rounded(theirs.cpuMicrosPerSpan / ours.cpuMicrosPerSpan, 2) },
  { what: "(b) / (a) spans/s", measured: rounded(ours.spansPerSecond / ceiling.spansPerSecond, 2) },
  { what: "(a) / (b) CPU per span", measured: rounded(ceiling.cpuMicrosPerSpan / ours.cpuMicrosPerSpan, 2) },
];

const COLUMNS: readonly (readonly [title: string, figure: (result: FlatOutResult) => string])[] = [
  ["spans/s", ({ spansPerSecond }) => spansPerSecond.toLocaleString("en")],
  ["µs CPU/span", ({ cpuMicrosPerSpan }) => cpuMicrosPerSpan.toFixed(1)],
  ["of it engine", ({ engineCpuShare }) => `${rounded(engineCpuShare * 100)} %`],
  ["ack p50 ms", ({ ackP50Millis }) => ackP50Millis.toFixed(0)],
  ["p99 ms", ({ ackP99Millis }) => ackP99Millis.toFixed(0)],
  ["RSS peak MiB", ({ residentPeakMiB }) => residentPeakMiB.toFixed(0)],
  ["drain s", ({ drainSeconds }) => drainSeconds.toFixed(1)],
  ["sender cores", ({ senderCores }) => senderCores.toFixed(2)],
];
const line = (name: string, cells: readonly string[]): void =>
  print(`  ${name.padEnd(42)}${cells.map((cell) => cell.padStart(14)).join("")}`);

print(
  `Agent spans of about 1.5 KB, 504 a request, 32 requests in flight, ${seconds} s and until all is stored, ` +
    `medians of ${rounds} rounds (what is not compared: one), ${availableParallelism()} cores, Node ${process.versions.node}`,
);
line(
  "",
  COLUMNS.map(([title]) => title),
);
line("(a) engine: INSERT SELECT from Memory", [
  ceiling.spansPerSecond.toLocaleString("en"),
  ceiling.cpuMicrosPerSpan.toFixed(1),
]);
for (const [name, result] of Object.entries(table))
  line(
    name,
    COLUMNS.map(([, figure]) => figure(result)),
  );
print("");
for (const { what, goal, measured } of goals)
  print(`  ${what.padEnd(42)}${goal === undefined ? "" : `goal ${goal}, `}measured ${measured}`);
const replays = await measureReplays(values.quick ? 2 : 5);
printReplays(replays);
if (values.json) print(JSON.stringify({ rounds, seconds, ceiling, table, goals, replays }));
