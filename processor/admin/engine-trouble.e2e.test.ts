import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RestartReason } from "../clickhouse/embedded/embedded-engine.ts";
import { parseExposition, sampleOf, type Family } from "../telemetry/testing/parse-exposition.ts";
import { type ComposedOptions, type ComposedService, startComposedService } from "./testing/composed-service.ts";
import { checkOf, probe } from "./testing/probe.ts";
import { type SpanSender, startSpanSender } from "./testing/span-sender.ts";

const PATIENCE = { timeout: 60_000, interval: 100 };

let directory: string;
let service: ComposedService | undefined;
let sender: SpanSender | undefined;
let probing: NodeJS.Timeout | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-trouble-"));
});
afterEach(async () => {
  clearInterval(probing);
  await sender?.stop();
  await service?.shutdown();
  sender = service = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function started(options: Partial<ComposedOptions> = {}): Promise<ComposedService> {
  service = await startComposedService({ directory, ...options });
  sender = startSpanSender(service.otlpUrl);
  await vi.waitFor(() => expect(sender?.acknowledged).toBeGreaterThan(10), PATIENCE);
  return service;
}

const pidOf = ({ engine }: ComposedService): number => {
  const pid = engine.pid();
  if (pid === undefined) throw new Error("no engine");
  return pid;
};

const scrape = async ({ adminUrl }: ComposedService): Promise<Map<string, Family>> =>
  parseExposition((await probe(`${adminUrl}/metrics`)).body);

describe("an engine in trouble while spans come in", () => {
  const TROUBLES: {
    what: string;
    signal: NodeJS.Signals;
    reason: RestartReason;
    options: Partial<ComposedOptions>;
  }[] = [
    { what: "is killed", signal: "SIGKILL", reason: "ended", options: {} },
    { what: "is stopped", signal: "SIGSTOP", reason: "silent", options: { hungAfterMillis: 4_000 } },
    {
      what: "executes nothing any more though its event loop turns",
      signal: "SIGUSR2",
      reason: "stuck",
      options: { stuckAfterMillis: 4_000, hungAfterMillis: 60_000 },
    },
    { what: "grows too large", signal: "SIGHUP", reason: "memory", options: { engineMaxMib: 1_024 } },
  ];

  it.each(TROUBLES)(
    "that $what is replaced; every send is acknowledged and stored",
    async ({ signal, reason, options }) => {
      const running = await started(options);
      const { engine, adminUrl, store } = running;
      const before = pidOf(running);
      const warned: string[] = [];
      probing = setInterval(() => {
        void probe(`${adminUrl}/readyz`).then(
          (probed) => warned.push(`${probed.status} ${checkOf(probed, "store")}`),
          () => warned.push("no answer"),
        );
      }, 100);
      process.kill(before, signal);
      await vi.waitFor(() => expect(engine.stats().restarts[reason]).toBe(1), PATIENCE);
      await vi.waitFor(() => expect(engine.stats().up && engine.pid() !== before).toBe(true), PATIENCE);
      const later = (sender?.acknowledged ?? 0) + 50;
      await vi.waitFor(() => expect(sender?.acknowledged).toBeGreaterThan(later), PATIENCE);
      clearInterval(probing);
      await sender?.stop();
      await running.idle();
      expect(sender?.refused).toBe(0);
      // The store was away and the service was ready all the time: the spool took what came.
      expect(warned).toContain("200 warn");
      expect(warned.filter((one) => !one.startsWith("200"))).toEqual([]);
      const [counted] = await store.query<{ rows: number; spans: number }>(
        "SELECT count() AS rows, uniqExact(SpanId) AS spans FROM otel_traces",
      );
      expect(counted).toEqual({ rows: sender?.acknowledged, spans: sender?.acknowledged });
      expect(engine.stats().restarts).toEqual({ ended: 0, silent: 0, stuck: 0, memory: 0, disk: 0, [reason]: 1 });
      const families = await scrape(running);
      expect(sampleOf(families, "runproof_engine_restarts_total", { reason })).toBe(1);
      expect(sampleOf(families, "runproof_engine_up")).toBe(1);
      expect(sampleOf(families, "runproof_receiver_records_total")).toBe(sender?.acknowledged);
      expect(sampleOf(families, "runproof_spool_sync_duration_seconds_count")).toBeGreaterThan(10);
      // A block that was sent again is counted again; the table above has it once.
      expect(sampleOf(families, "runproof_store_rows_total", { table: "otel_traces" })).toBeGreaterThanOrEqual(
        sender?.acknowledged ?? Infinity,
      );
      expect(sampleOf(families, "runproof_spool_size_bytes")).toBe(0);
    },
  );

  it("is not taken for hung because twelve readers are busy", async () => {
    const running = await started({ stuckAfterMillis: 5_000 });
    const before = pidOf(running);
    // Eight seconds each, in blocks of one: a single sleep may not be longer.
    const body = "SELECT sum(sleepEachRow(0.1)) FROM numbers(80)";
    const busy = Array.from({ length: 12 }, () =>
      fetch(`${running.engine.url()}/?max_block_size=10`, { method: "POST", body }).then((response) => response.text()),
    );
    expect(await Promise.all(busy)).toEqual(busy.map(() => "0\n"));
    expect(pidOf(running)).toBe(before);
    expect(running.engine.stats().up).toBe(true);
    expect(sender?.refused).toBe(0);
  });
});

describe("a statement that wants more than the engine may hold", () => {
  it("is refused by the engine, which goes on", async () => {
    const running = await started({ engineMaxMib: 1_024 });
    const { engine, store } = running;
    const before = pidOf(running);
    const greedy = "SELECT length(arrayMap(x -> toString(x), range(30000000)))";
    await expect(store.query(greedy)).rejects.toThrow(/memory limit exceeded/i);
    expect(await store.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(engine.pid()).toBe(before);
  });
});
