/**
 * `node bench/overhead.ts [--rounds 5] [--spans 60000] [--json]`: what runproof costs in an agent's process, beside a bare
 * OpenTelemetry SDK. Each figure in a process of its own, all in turns, medians over the rounds; CPU time, not the
 * clock, where it is about work. Runs the built package.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { measureExits } from "./exit-delay.ts";
import { median, rounded } from "./figures.ts";
import { print } from "./measure.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    spans: { type: "string", default: "60000" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const spans = Number(values.spans);

const AGENT = fileURLToPath(new URL("./overhead-agent.mjs", import.meta.url));
const REGISTER = new URL("../dist/processor/register/register.js", import.meta.url).href;

interface Work {
  readonly work: "plain" | "bareSpans" | "ourSpans" | "bareTools" | "ourIdleTools" | "ourTools" | "tools";
  readonly registered?: boolean;
  /** `RUNPROOF_CAPTURE`. */
  readonly capture?: "none" | "hash" | "redacted";
}

const WORKS = {
  "agent without telemetry": { work: "plain" },
  "the same, registered": { work: "plain", registered: true },
  "span, bare SDK": { work: "bareSpans" },
  "span, registered": { work: "ourSpans", registered: true },
  "tool call without anything": { work: "tools" },
  "tool call, bare SDK, no content": { work: "bareTools" },
  "tool call outside of a run": { work: "ourIdleTools", registered: true },
  "tool call in a run, without capture": { work: "ourTools", registered: true, capture: "none" },
  "tool call in a run, content as hashes": { work: "ourTools", registered: true, capture: "hash" },
  "tool call in a run, redacted content": { work: "ourTools", registered: true },
} as const satisfies Readonly<Record<string, Work>>;
type Name = keyof typeof WORKS;

interface Cost {
  readonly micros: number;
  readonly residentMiB: number;
  readonly heapMiB: number;
}

async function run({ work, registered = false, capture = "redacted" }: Work, url: string): Promise<Cost> {
  const args = ["--expose-gc", ...(registered ? ["--import", REGISTER] : []), AGENT, work, String(spans)];
  const env = {
    PATH: process.env["PATH"],
    MODEL_URL: url,
    RUNPROOF_ENDPOINT: `${url}/v1/traces`,
    RUNPROOF_STATE_DIR: "off",
    RUNPROOF_BOUNDARY: "none",
    RUNPROOF_CAPTURE: capture,
  };
  // Outside of the repository, whose own configuration is none of the agent's.
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: tmpdir() });
  return JSON.parse(stdout) as Cost;
}

const sink = createServer((request, response) => void request.resume().on("end", () => response.end()));
await once(sink.listen(0, "127.0.0.1"), "listening");
const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
const costs = new Map<Name, Cost[]>();
for (let round = 0; round < rounds; round++) {
  for (const [name, work] of Object.entries(WORKS) as [Name, Work][]) {
    costs.set(name, [...(costs.get(name) ?? []), await run(work, url)]);
    process.stderr.write(".");
  }
}
sink.close();
const exits = await measureExits(rounds);
process.stderr.write("\n");

const of = (name: Name, figure: keyof Cost): number => median((costs.get(name) ?? []).map((cost) => cost[figure]));
const added = (figure: keyof Cost, ours: Name, theirs: Name): number => of(ours, figure) - of(theirs, figure);

print(`Median of ${rounds} rounds, ${spans} operations each, Node ${process.versions.node}`);
print(`  ${"".padEnd(42)}${["µs CPU", "RSS MiB", "heap MiB"].map((title) => title.padStart(10)).join("")}`);
for (const name of Object.keys(WORKS) as Name[]) {
  const figures = [of(name, "micros"), of(name, "residentMiB"), of(name, "heapMiB")];
  print(`  ${name.padEnd(42)}${figures.map((figure) => rounded(figure, 1).toFixed(1).padStart(10)).join("")}`);
}
const goals: readonly { readonly what: string; readonly goal?: number; readonly measured: number }[] = [
  {
    what: "span, to the bare SDK's",
    goal: 1.15,
    measured: rounded(of("span, registered", "micros") / of("span, bare SDK", "micros"), 2),
  },
  {
    what: "µs added to a tool call outside of a run",
    goal: 5,
    measured: rounded(added("micros", "tool call outside of a run", "tool call without anything"), 1),
  },
  {
    what: "µs added to a call in a run, without capture",
    goal: 5,
    measured: rounded(added("micros", "tool call in a run, without capture", "tool call, bare SDK, no content"), 1),
  },
  {
    what: "µs added to a call in a run, content as hashes",
    measured: rounded(added("micros", "tool call in a run, content as hashes", "tool call, bare SDK, no content"), 1),
  },
  {
    what: "µs added to a call in a run, redacted content",
    measured: rounded(added("micros", "tool call in a run, redacted content", "tool call, bare SDK, no content"), 1),
  },
  {
    what: "MiB added to the agent",
    goal: 32,
    measured: rounded(added("residentMiB", "the same, registered", "agent without telemetry"), 1),
  },
  {
    what: "MiB added to an agent with a bare SDK",
    goal: 32,
    measured: rounded(added("residentMiB", "span, registered", "span, bare SDK"), 1),
  },
  ...exits.map(({ trouble, delayMillis }) => ({
    what: `ms later to end, collector ${trouble}`,
    goal: 2_000,
    measured: rounded(delayMillis),
  })),
];
print("");
for (const { what, goal, measured } of goals) {
  const promise = goal === undefined ? "".padEnd(12) : `goal ${String(goal).padStart(5)}, `;
  const missed = goal !== undefined && measured > goal ? "  MISSED" : "";
  print(`  ${what.padEnd(48)}${promise}measured ${String(measured).padStart(7)}${missed}`);
}
if (values.json) print(JSON.stringify({ rounds, spans, costs: Object.fromEntries(costs), exits, goals }));
