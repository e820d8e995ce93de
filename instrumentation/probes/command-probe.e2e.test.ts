import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VerificationObservation } from "../contract/evidence.ts";
import { sha256Hex } from "../json/canonical.ts";
import { probeCommand } from "./command-probe.ts";

describe("probeCommand", () => {
  let cwd: string;
  const node = (script: string, timeoutMillis = 60_000, signal?: AbortSignal): Promise<VerificationObservation> =>
    probeCommand({ command: [process.execPath, "-e", script] }, { cwd, timeoutMillis, ...(signal && { signal }) });
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "runproof-command-"));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  it("reports exit code, output and hash", async () => {
    const seen = await node("process.stdout.write('out'); process.exitCode = 3");
    expect(seen).toMatchObject({ exitCode: 3, timedOut: false, outputTail: "out", outputSha256: sha256Hex("out") });
  });

  it("keeps the last 4 KiB without a broken character", async () => {
    const { outputTail, outputSha256 } = await node("process.stdout.write('x' + 'é'.repeat(50000) + 'y')");
    expect(outputTail).toMatch(/^é+y$/);
    expect(Buffer.byteLength(outputTail)).toBeLessThanOrEqual(4_096);
    expect(outputSha256).toBe(sha256Hex(`x${"é".repeat(50_000)}y`));
  });

  it("gives arguments to the program and not to a shell", async () => {
    const command = [
      process.execPath,
      "-p",
      "JSON.stringify(process.argv.slice(1))",
      "$(touch pwned)",
      "; touch pwned",
      "*",
    ];
    const seen = await probeCommand({ command }, { cwd });
    expect(JSON.parse(seen.outputTail)).toEqual(["$(touch pwned)", "; touch pwned", "*"]);
    expect(existsSync(join(cwd, "pwned"))).toBe(false);
  });

  it("shows the command no variable that is not on the list", async () => {
    process.env["RUNPROOF_TEST_SECRET"] = "hunter2";
    const target = { command: [process.execPath, "-p", "JSON.stringify(process.env)"] };
    const seen = await probeCommand(target, { cwd });
    const told = await probeCommand({ ...target, env: ["RUNPROOF_TEST_SECRET"] }, { cwd });
    delete process.env["RUNPROOF_TEST_SECRET"];
    expect(seen.outputTail).not.toContain("hunter2");
    expect(told.outputTail).toContain("hunter2");
  });

  it("kills the whole process group at the deadline", async () => {
    const script = `require("child_process").spawn(process.execPath, ["-e",
      "console.log(process.pid); setInterval(() => {}, 1000)"], { stdio: "inherit" }); setInterval(() => {}, 1000)`;
    const start = performance.now();
    const seen = await node(script, 700);
    expect(performance.now() - start).toBeLessThan(20_000); // Left alone, it would never end.
    expect(seen).toMatchObject({ exitCode: null, timedOut: true });
    const grandchild = Number(seen.outputTail);
    expect(grandchild).toBeGreaterThan(0);
    await expect.poll(() => isAlive(grandchild)).toBe(false);
  });

  it("does not wait for what the command left running", async () => {
    const script = `require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"],
      { stdio: "inherit" }).unref(); process.exit(0)`;
    expect(await node(script)).toMatchObject({ exitCode: 0, timedOut: false });
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 200);
    expect(await node("setInterval(() => {}, 1000)", 5_000, stop.signal)).toMatchObject({
      exitCode: null,
      timedOut: false,
    });
  });

  it.each([[["no-such-program-here"]], [[]], [[""]], [["a\0b"]]])("reports that %j cannot run", async (command) => {
    const seen = await probeCommand({ command }, { cwd });
    expect(seen).toMatchObject({ exitCode: null, outputTail: expect.stringContaining("could not run") as string });
  });
});

/** A killed process that nobody waits for stays as a zombie where the init process is lazy: it runs no more. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
