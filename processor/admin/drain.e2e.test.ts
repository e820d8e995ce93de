import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ComposedOptions, startComposedService } from "./testing/composed-service.ts";
import { checkOf, probe } from "./testing/probe.ts";
import { startSpanSender } from "./testing/span-sender.ts";

const ENTRY = fileURLToPath(new URL("testing/composed-process.ts", import.meta.url));

interface Addresses {
  readonly otlpUrl: string;
  readonly adminUrl: string;
  readonly enginePid: number;
}

let directory: string;
let child: ChildProcess | undefined;
let enginePid = 0;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-drain-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  if (isRunning(enginePid)) process.kill(enginePid, "SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function spawned(options: Omit<ComposedOptions, "directory">): Promise<Addresses> {
  child = fork(ENTRY, [JSON.stringify({ ...options, directory })], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [addresses] = (await once(child, "message")) as [Addresses];
  enginePid = addresses.enginePid;
  return addresses;
}

const isRunning = (pid: number): boolean => {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** What a later start finds. */
async function storedSpans(): Promise<object | undefined> {
  const next = await startComposedService({ directory });
  await next.idle();
  const [counted] = await next.store.query<object>(
    "SELECT count() AS rows, uniqExact(SpanId) AS spans FROM otel_traces",
  );
  await next.shutdown();
  return counted;
}

/** Answers of a probe until the process is gone. */
async function answersUntilTheEnd(url: string): Promise<string[]> {
  const answers: string[] = [];
  while (child?.exitCode === null && child.signalCode === null) {
    const probed = await probe(url).catch(() => undefined);
    if (probed !== undefined) answers.push(`${probed.status} ${checkOf(probed, "lifecycle")}`);
  }
  return answers;
}

describe("a service that is told to stop", () => {
  it("stores what it acknowledged and ends with 0", async () => {
    const { otlpUrl } = await spawned({ drainSeconds: 60 });
    const sender = startSpanSender(otlpUrl);
    await vi.waitFor(() => expect(sender.acknowledged).toBeGreaterThan(50), { timeout: 60_000 });
    child?.kill("SIGTERM");
    const [code] = (await once(child!, "exit")) as [number];
    await sender.stop();
    expect(code).toBe(0);
    expect(isRunning(enginePid)).toBe(false);
    expect(await storedSpans()).toEqual({ rows: sender.acknowledged, spans: sender.acknowledged });
  });

  it("does not wait for a store that hangs, says that it stops, and loses nothing", async () => {
    const { otlpUrl, adminUrl } = await spawned({ drainSeconds: 2, hungAfterMillis: 3_600_000 });
    const sender = startSpanSender(otlpUrl);
    await vi.waitFor(() => expect(sender.acknowledged).toBeGreaterThan(50), { timeout: 60_000 });
    process.kill(enginePid, "SIGSTOP");
    const before = sender.acknowledged;
    await vi.waitFor(() => expect(sender.acknowledged).toBeGreaterThan(before + 50), { timeout: 60_000 });
    expect((await probe(`${adminUrl}/readyz`)).status).toBe(200);
    const began = performance.now();
    child?.kill("SIGTERM");
    const answers = await answersUntilTheEnd(`${adminUrl}/readyz`);
    await sender.stop();
    expect(child?.exitCode).toBe(0);
    // The insert's own time-out is 60 s; the bound is 2 s and what the parts around it take.
    expect(performance.now() - began).toBeLessThan(40_000);
    const firstNo = answers.findIndex((answer) => answer === "503 fail");
    expect(firstNo).toBeGreaterThanOrEqual(0);
    expect(answers.slice(firstNo).every((answer) => answer === "503 fail")).toBe(true);
    await vi.waitFor(() => expect(isRunning(enginePid)).toBe(false), { timeout: 60_000 });
    expect(await storedSpans()).toEqual({ rows: sender.acknowledged, spans: sender.acknowledged });
  });
});
