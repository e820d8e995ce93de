/**
 * `node bench/profile.ts [seconds] [--runs] [--gzip]`: where the service's own process spends its time flat out: self time
 * by function, and the engine's share of all processor time.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startService } from "./collector.ts";
import { runFlatOut } from "./flat-out.ts";
import { print } from "./measure.ts";

/** The parts of V8's profile that are read here. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const TOP = 15;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "boolean", default: false }, gzip: { type: "boolean", default: false } },
});
const directory = await mkdtemp(join(tmpdir(), "runproof-profile-"));
const nodeArgs = ["--cpu-prof", `--cpu-prof-dir=${directory}`];
const load = { seconds: Number(positionals[0] ?? 10), inFlight: 32, gzip: values.gzip, runs: values.runs };
const result = await runFlatOut((dataDirectory) => startService(dataDirectory, { nodeArgs }), load);
const written = (await readdir(directory)).find((name) => name.endsWith(".cpuprofile"));
const profile = JSON.parse(await readFile(join(directory, written ?? ""), "utf8")) as Profile;
await rm(directory, { recursive: true });

const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
const self = new Map<string, number>();
let total = 0;
for (const [index, id] of profile.samples.entries()) {
  const { functionName = "", url = "", lineNumber = 0 } = nodes.get(id) ?? {};
  if (functionName === "(idle)") continue;
  const file = url.replace(/^.*\/(?=(processor|replay|instrumentation|node_modules)\/)/, "");
  const name = `${functionName || "(anonymous)"}${file === "" ? "" : `  ${file}:${lineNumber + 1}`}`;
  const micros = profile.timeDeltas[index] ?? 0;
  self.set(name, (self.get(name) ?? 0) + micros);
  total += micros;
}
print(JSON.stringify(result));
print(
  `  engine ${Math.round(result.engineCpuShare * 100)} % of all processor time; the service's main thread while busy:`,
);
for (const [name, micros] of [...self].toSorted(([, a], [, b]) => b - a).slice(0, TOP))
  print(`  ${((micros / total) * 100).toFixed(1).padStart(5)} %  ${name}`);
