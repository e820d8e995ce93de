import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-bare-"));
  // Outside of any node_modules.
  await copyFile(new URL("optional-packages.ts", import.meta.url), join(directory, "optional-packages.ts"));
  await writeFile(join(directory, "package.json"), '{ "type": "module" }');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("an installation without the OTel SDK", () => {
  it.each([
    ["loadPrometheusPackages", "npm install @opentelemetry/sdk-metrics @opentelemetry/exporter-prometheus"],
    ["loadPushPackages", "npm install @opentelemetry/sdk-metrics @opentelemetry/exporter-metrics-otlp-proto"],
  ])("is told by %s what to install", async (load, command) => {
    const script = `const { ${load} } = await import("./optional-packages.ts");
      console.log((await ${load}()).message);`;
    const options = { cwd: directory, timeout: 120_000 };
    const args = ["--input-type=module", "-e", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    expect(stdout).toContain(command);
  });
});
