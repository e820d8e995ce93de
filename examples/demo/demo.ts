/**
 * `npm run demo`: the whole story of one silent failure, with the commands a user would type. Everything happens in a
 * temporary folder, against a service of its own on free ports.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadServiceConfig, startService } from "../../processor/index.ts";

const source = import.meta.url.endsWith(".ts");
const path = (relative: string): string =>
  fileURLToPath(new URL(source ? relative : relative.replace(/\.ts$/, ".js"), import.meta.url));
const CLI = path("../../replay/cli.ts");
const REPLAY = path("../../replay/agent-replay.ts");
const AGENT = path("../research-agent/once.ts");
const BROKEN = path("../research-agent/broken.ts");
const FIXED = path("../research-agent/fixed.ts");

const say = (text: string): void => console.log(`\n\u2500\u2500 ${text}`);
const expectations: string[] = [];

const work = await mkdtemp(join(tmpdir(), "runproof-demo-"));
const config = loadServiceConfig(
  {},
  { otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: "off", dataDirectory: join(work, "data") },
);
const service = await startService(config, { log: (message) => console.error(message) });
process.once("SIGINT", () => void finish(130));

async function story(): Promise<void> {
  say("1. The agent runs. It says it is done, and its process ends with 0.");
  await command("node examples/research-agent/once.js", [AGENT, "broken", "tides"], 0);
  await service.idle();

  say("2. runproof judged the run on evidence, not on its words.");
  await command("runproof runs list", [CLI, "runs", "list"], 0);
  const [run] = JSON.parse((await quiet([CLI, "runs", "list", "--json"])).stdout) as {
    run_id: string;
    status: string;
  }[];
  if (run?.status !== "failed") expectations.push("the run was not judged as failed");
  const runId = run?.run_id ?? "";
  await command(`runproof runs show ${runId}`, [CLI, "runs", "show", runId], 0);

  say("3. The failed run becomes a fixture, from the stored trace alone.");
  const fixture = join(work, "fixtures", "missing_artifact_ref");
  const create = ["fixture", "create", runId, "--id", "missing_artifact_ref", "--out", join(work, "fixtures")];
  await command(`runproof fixture create ${runId} --id missing_artifact_ref`, [CLI, ...create], 0);

  say("4. The agent's real code replays it without any tool or model: the failure comes back.");
  const replay = "agent-replay --fixture fixtures/agent_failure_forensics/missing_artifact_ref --mode cassette";
  await command(
    `${replay} --agent examples/research-agent/broken.ts`,
    [REPLAY, "--fixture", fixture, "--mode", "cassette", "--agent", BROKEN],
    1,
  );

  say("5. The bug, and the fix.");
  await showFix();

  say("6. The same replay with the fixed code passes, on a file that was re-read.");
  await command(
    `${replay} --agent examples/research-agent/fixed.ts`,
    [REPLAY, "--fixture", fixture, "--mode", "cassette", "--agent", FIXED],
    0,
  );
  await service.idle();
  await command("runproof runs list", [CLI, "runs", "list"], 0);
}

/** Shows a command as a user would type it, runs it for real, and holds it to its exit code. */
async function command(shown: string, args: readonly string[], expected: number): Promise<void> {
  console.log(`\n$ ${shown}`);
  const { code } = await spawnNode(args, "inherit");
  console.log(`(exit code ${code})`);
  if (code !== expected) expectations.push(`${shown} ended with ${code}, not ${expected}`);
}

const quiet = (args: readonly string[]): Promise<Ended> => spawnNode(args, "pipe");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
}

function spawnNode(args: readonly string[], stdout: "inherit" | "pipe"): Promise<Ended> {
  const child = spawn(process.execPath, [...args], {
    cwd: work,
    env: {
      ...process.env,
      RUNPROOF_CLICKHOUSE_URL: service.clickhouseUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: service.otlpUrl,
      RUNPROOF_ENDPOINT: service.otlpUrl,
      RUNPROOF_STATE_DIR: join(work, "state"),
      OTEL_SERVICE_NAME: "research",
    },
    stdio: ["ignore", stdout, "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout: Buffer.concat(chunks).toString() }));
  });
}

/** The lines that differ between the two agents, straight from their files. */
async function showFix(): Promise<void> {
  const body = async (file: string): Promise<string[]> => {
    const text = await readFile(file, "utf8");
    return text
      .split("\n")
      .filter((line) => /write|mkdir|try|catch|\}\)?;?$/.test(line) && !/^(import|export|\/\*| \*)/.test(line));
  };
  for (const line of await body(BROKEN)) console.log(`- ${line}`);
  for (const line of await body(FIXED)) console.log(`+ ${line}`);
}

async function finish(code: number): Promise<void> {
  await service.shutdown();
  await rm(work, { recursive: true, force: true });
  for (const expectation of expectations) console.error(`demo failed: ${expectation}`);
  process.exit(code);
}

await story().catch((error: unknown) => expectations.push(String(error)));
await finish(expectations.length === 0 ? 0 : 1);
