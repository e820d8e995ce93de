/**
 * `node bench/minimise.ts [--json] [--jobs n]`: records a run of 200 spans and minimises it. Seconds, replays and what is
 * left; the goal is below 60 s. The recorded runs of a real agent are in `examples/tau-bench/minimise.ts`.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { Fixture } from "../replay/index.ts";
import { minimiseFixture } from "../replay/minimise/minimise-fixture.ts";
import { openOtlpTap } from "../replay/sandbox/otlp-tap.ts";
import { fixtureOfRows } from "../replay/testing/recorded-fixture.ts";
import { rounded } from "./figures.ts";
import { print } from "./measure.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, jobs: { type: "string", default: "2" } },
});
const AGENT = new URL("./minimise-agent.ts", import.meta.url).href;
const TELEMETRY = new URL("../replay/sandbox/child-telemetry.ts", import.meta.url).href;

async function recordedFixture(): Promise<Fixture> {
  const tap = await openOtlpTap();
  const cwd = await mkdtemp(join(tmpdir(), "runproof-bench-"));
  try {
    const code =
      `const telemetry = await (await import(${JSON.stringify(TELEMETRY)})).startChildTelemetry(process.argv[1]);` +
      `await (await import(${JSON.stringify(AGENT)})).default({ task: "tides" }); await telemetry.flush();`;
    const env = { PATH: process.env["PATH"], RUNPROOF_ENDPOINT: tap.url, RUNPROOF_STATE_DIR: join(cwd, "state") };
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code, `${tap.url}/v1/traces`], {
      cwd,
      env,
    });
    return fixtureOfRows(tap.rows, "bench");
  } finally {
    await tap.close();
    await rm(cwd, { recursive: true, force: true });
  }
}

const fixture = await recordedFixture();
const began = performance.now();
const found = await minimiseFixture(fixture, {
  agent: { module: AGENT, exportName: "default" },
  fixtureId: "bench_min",
  environment: process.env,
  jobs: Number(values.jobs),
  onProgress: ({ candidates, bytes }) => {
    if (candidates % 50 === 0) process.stderr.write(`${candidates} candidates, ${bytes} bytes\n`);
  },
});
const seconds = rounded((performance.now() - began) / 1_000, 1);
if (found.type !== "minimised") throw new Error(found.type);
const {
  bytes,
  interactions,
  candidates,
  one_minimal: isOneMinimal,
} = found.fixture.notes.minimised ?? {
  bytes: { before: 0, after: 0 },
};
const result = {
  spans: fixture.cassette.interactions.length + 1,
  seconds,
  candidates,
  replayed: found.replayed,
  replays_per_second: rounded(found.replayed / seconds, 1),
  bytes,
  cut_percent: rounded((1 - bytes.after / bytes.before) * 100, 1),
  interactions,
  one_minimal: isOneMinimal,
};
print(values.json ? JSON.stringify(result) : `goal below 60 s, measured ${seconds} s: ${JSON.stringify(result)}`);
