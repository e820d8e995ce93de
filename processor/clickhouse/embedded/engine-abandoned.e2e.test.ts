import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-engine-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("an engine and the process that starts it", () => {
  it("leaves nobody behind that is hung when it exits at once", async () => {
    const module = new URL("./embedded-engine.ts", import.meta.url).href;
    const script = `const { createEmbeddedEngine } = await import(${JSON.stringify(module)});
      const engine = createEmbeddedEngine({ dataDirectory: ${JSON.stringify(directory)}, port: 0 });
      await engine.start();
      process.kill(engine.pid(), "SIGSTOP");
      console.log(engine.pid());
      process.exit(0);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    await vi.waitUntil(() => !isRunning(Number(stdout)), { timeout: 60_000 });
  });

  it("keeps its data where it is told to, and takes no configuration from the folder it is called from", async () => {
    const module = new URL("./embedded-engine.ts", import.meta.url).href;
    const script = `const { writeFileSync, existsSync } = await import("node:fs");
      writeFileSync("config.xml", "<clickhouse><max_server_memory_usage>123456789</max_server_memory_usage></clickhouse>");
      const { createEmbeddedEngine } = await import(${JSON.stringify(module)});
      const engine = createEmbeddedEngine({ dataDirectory: "data", port: 0, maxMib: 1000 });
      await engine.start();
      const { username, password } = engine.serviceCredentials();
      const headers = { "x-clickhouse-user": username, "x-clickhouse-key": password };
      const body = "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'";
      const text = await (await fetch(engine.url(), { method: "POST", headers, body })).text();
      console.log(text.trim(), existsSync("data/engine"));
      await engine.shutdown();`;
    const options = { cwd: directory };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], options);
    expect(stdout).toBe(`${Math.floor(1_000 * 1_048_576 * 0.8)} true\n`);
  });
});
