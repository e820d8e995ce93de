/**
 * Runs the real producers of `emitters.ts` through the scenario and stores the OTLP bodies they send. Not part of the
 * tests, which read what is stored: `node processor/evidence/dialect/testing/capture/capture.ts [producer]`. Bodies of
 * earlier versions are kept: a new version is a new file.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bodyFileName, type Emitter, EMITTERS, type Scenario, SCENARIOS } from "./emitters.ts";
import { startScenarioServer } from "./scenario-server.ts";

const AGENTS = new URL("./agents/", import.meta.url);
const BODIES = new URL("../bodies/", import.meta.url);

async function captureAll(only: string | undefined): Promise<void> {
  for (const emitter of EMITTERS.filter(({ producer }) => only === undefined || producer === only)) {
    const folder = await mkdtemp(join(tmpdir(), "runproof-emitter-"));
    try {
      await cp(AGENTS, folder, { recursive: true });
      await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: emitter.packages }));
      await run("npm", ["install", "--no-audit", "--no-fund", "--legacy-peer-deps"], { cwd: folder });
      for (const scenario of SCENARIOS) await capture(emitter, scenario, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function capture(emitter: Emitter, scenario: Scenario, folder: string): Promise<void> {
  const server = await startScenarioServer();
  try {
    const env = {
      MODEL_URL: server.url,
      COLLECTOR_URL: server.url,
      EMITTER: emitter.instrumentation ?? "",
      STREAM: scenario === "stream" ? "1" : "0",
    };
    await run(process.execPath, [emitter.agent], { cwd: folder, env });
    const file = new URL(bodyFileName(emitter, scenario), BODIES);
    await writeFile(file, `${JSON.stringify(server.sent, null, 1)}\n`);
    process.stdout.write(`${file.pathname.split("/").at(-1)}: ${server.sent.length} requests\n`);
  } finally {
    await server.close();
  }
}

interface Running {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

function run(command: string, args: readonly string[], { cwd, env = {} }: Running): Promise<void> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")} ended with ${code}`)),
    );
  });
}

await captureAll(process.argv[2]);
