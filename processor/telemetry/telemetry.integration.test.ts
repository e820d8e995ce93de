import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SELF_METRICS } from "../../instrumentation/semconv.ts";
import { ACCEPTED, type ConsumeOutcome } from "../outcome.ts";
import type { BodyConsumer } from "../receivers/body-consumer.ts";
import { createBoundedLabel } from "./bounded-label.ts";
import { createStoreHealth, createTelemetry, type Telemetry } from "./index.ts";
import { meteredBatches } from "./metered-batches.ts";
import { meteredBodies } from "./metered-bodies.ts";
import type { TelemetrySources } from "./sources.ts";
import { createVerdictLag } from "./verdict-lag.ts";
import { startOtlpMetricsReceiver, type OtlpMetricsReceiver } from "./testing/otlp-metrics-receiver.ts";
import { parseExposition, sampleOf, type Family } from "./testing/parse-exposition.ts";

let telemetry: Telemetry | undefined;
let backend: OtlpMetricsReceiver | undefined;
afterEach(async () => {
  await telemetry?.shutdown();
  await backend?.close();
  telemetry = backend = undefined;
});

const errors: string[] = [];
const onError = (what: string): void => void errors.push(what);

const SPOOL = {
  writable: true,
  appended: 12,
  acknowledged: 10,
  failed: 1,
  full: 2,
  bytes: 4_096,
  unreadBytes: 0,
  segments: 3,
  pendingBytes: 0,
  oldestRecordAgeMillis: 1_500,
  quarantined: { tails: 1, bytes: 77, records: 1 },
  lastSyncMillis: 1,
};
const SOURCES: TelemetrySources = {
  spool: () => SPOOL,
  spoolMaxBytes: 1 << 30,
  runs: () => ({ open: 4, waiting: 2 }),
  watchdog: () => ({ lastScanAt: Date.now() - 5_000, scanMillis: 1_000 }),
  engine: () => ({
    up: true,
    restarts: { ended: 1, silent: 0, stuck: 2, memory: 0, disk: 0 },
    rssBytes: 500_000_000,
    statementMillis: 2,
  }),
  storeUp: () => false,
  forward: () => ({
    traces: { sent: { records: 8 }, rejected: 3, lost: { backlog_full: { records: 7 } } },
    logs: { sent: { records: 1 }, rejected: 0, lost: {} },
    backlog: { bodies: { bytes: 9 }, events: { bytes: 2 } },
  }),
};

/** Everything that is counted where it happens, once. */
function countAll({ instruments }: Telemetry): void {
  for (const instrument of Object.values(instruments)) {
    if ("add" in instrument) instrument.add(1);
    else instrument.record(0.003);
  }
}

async function scrape(from: Telemetry): Promise<Map<string, Family>> {
  const found = await from.metricsText();
  if (found.status !== "ok") throw new Error(found.message);
  return parseExposition(found.text);
}

const prometheusName = (name: string, unit: string): string => {
  const words: Record<string, string> = { s: "_seconds", By: "_bytes" };
  return `${name.replaceAll(".", "_")}${words[unit] ?? ""}`;
};

const body = (changes: object = {}) =>
  ({
    signal: "traces",
    encoding: "protobuf",
    bytes: new Uint8Array(100),
    project: "shop",
    receivedAtMillis: 1,
    ...changes,
  }) as const;
const answering = (outcome: ConsumeOutcome): BodyConsumer => ({ consume: async () => outcome });

describe("the metrics endpoint's text", () => {
  it("has every metric of the table, typed and explained, and no other", async () => {
    telemetry = await createTelemetry({ prometheus: true, version: "1", onError });
    telemetry.observe(SOURCES);
    countAll(telemetry);
    const families = await scrape(telemetry);
    const expected = Object.values(SELF_METRICS).map(({ name, unit, kind, description }) => {
      const isCounter = kind === "counter" || kind === "observable_counter";
      const type = isCounter ? "counter" : kind === "histogram" ? "histogram" : "gauge";
      return [`${prometheusName(name, unit)}${isCounter ? "_total" : ""}`, type, description];
    });
    expected.push(["target_info", "gauge", "Target metadata"]);
    expect(new Set([...families].map(([name, { type, help }]) => `${name} ${type} ${help}`))).toEqual(
      new Set(expected.map((one) => one.join(" "))),
    );
    for (const [name, { samples }] of families) expect(samples.length, name).toBeGreaterThan(0);
  });

  it("tells what the components say, in base units", async () => {
    telemetry = await createTelemetry({ prometheus: true, version: "1", onError });
    telemetry.observe(SOURCES);
    const families = await scrape(telemetry);
    expect(sampleOf(families, "runproof_spool_size_bytes")).toBe(4_096);
    expect(sampleOf(families, "runproof_spool_oldest_age_seconds")).toBe(1.5);
    expect(sampleOf(families, "runproof_spool_bodies_total", { outcome: "full" })).toBe(2);
    expect(sampleOf(families, "runproof_engine_restarts_total", { reason: "stuck" })).toBe(2);
    expect(sampleOf(families, "runproof_store_up")).toBe(0);
    expect(sampleOf(families, "runproof_forward_records_total", { outcome: "backlog_full" })).toBe(7);
    expect(sampleOf(families, "runproof_forward_records_total", { signal: "traces", outcome: "taken" })).toBe(5);
    expect(sampleOf(families, "runproof_forward_backlog_size_bytes")).toBe(11);
    expect(sampleOf(families, "runproof_watchdog_scan_lag_seconds")).toBeGreaterThanOrEqual(4);
    expect(sampleOf(families, "target_info", { service_name: "runproof", service_version: "1" })).toBe(1);
  });

  it("leaves out what nobody can tell", async () => {
    telemetry = await createTelemetry({ prometheus: true, version: "1", onError });
    telemetry.observe({});
    const families = await scrape(telemetry);
    expect(families.has("runproof_engine_up")).toBe(false);
    expect(families.has("runproof_process_memory_usage_bytes")).toBe(true);
  });

  it("forgets a figure that nobody observes any more, and a label set of it", async () => {
    telemetry = await createTelemetry({ prometheus: true, version: "1", onError });
    let sources: TelemetrySources = { spool: () => SPOOL, storeUp: () => true };
    telemetry.observe({ spool: () => sources.spool?.() ?? SPOOL, storeUp: () => sources.storeUp?.() as boolean });
    const before = await scrape(telemetry);
    expect(sampleOf(before, "runproof_store_up")).toBe(1);
    expect(sampleOf(before, "runproof_spool_bodies_total", { outcome: "full" })).toBe(2);
    sources = {};
    const after = await scrape(telemetry);
    expect(after.has("runproof_store_up")).toBe(false);
    expect(sampleOf(after, "runproof_spool_bodies_total", { outcome: "full" })).toBe(2);
  });

  it("is not there when it is off, and says so", async () => {
    telemetry = await createTelemetry({ prometheus: false, version: "1", onError });
    telemetry.observe(SOURCES);
    countAll(telemetry);
    expect(await telemetry.metricsText()).toMatchObject({ status: "unavailable" });
  });
});

describe("what passes the receivers", () => {
  it("is counted by signal, protocol and outcome", async () => {
    telemetry = await createTelemetry({ prometheus: true, version: "1", onError });
    const meter = { instruments: telemetry.instruments, projectLabel: createBoundedLabel() };
    const summary = { records: 10, rejected: 2, lane: "bulk" } as const;
    const http = meteredBodies(answering(ACCEPTED), "http", meter);
    const refusing = meteredBodies(answering({ status: "retryable", message: "" }), "grpc", meter);
    const partial = meteredBodies(answering({ status: "partial", rejected: 3, message: "" }), "grpc", meter);
    await http.consume(body(), summary);
    await refusing.consume(body({ signal: "logs" }), summary);
    await partial.consume(body(), summary);
    const families = await scrape(telemetry);
    const labels = { signal: "traces", protocol: "http" };
    expect(sampleOf(families, "runproof_receiver_requests_total", { ...labels, outcome: "accepted" })).toBe(1);
    expect(sampleOf(families, "runproof_receiver_records_total", labels)).toBe(10);
    expect(sampleOf(families, "runproof_receiver_rejected_total", labels)).toBe(2);
    expect(sampleOf(families, "runproof_receiver_io_bytes_total", labels)).toBe(100);
    expect(sampleOf(families, "runproof_receiver_ack_duration_seconds_count", labels)).toBe(1);
    const logs = { signal: "logs", protocol: "grpc" };
    expect(sampleOf(families, "runproof_receiver_requests_total", { ...logs, outcome: "retryable" })).toBe(1);
    expect(sampleOf(families, "runproof_receiver_records_total", logs)).toBeUndefined();
    expect(sampleOf(families, "runproof_receiver_records_total", { ...labels, protocol: "grpc" })).toBe(7);
    expect(sampleOf(families, "runproof_receiver_project_records_total", { project: "shop" })).toBe(17);
  });

  it("makes 101 series of any number of projects", async () => {
    telemetry = await createTelemetry({ prometheus: true, version: "1", onError });
    const meter = { instruments: telemetry.instruments, projectLabel: createBoundedLabel() };
    const bodies = meteredBodies(answering(ACCEPTED), "http", meter);
    for (let project = 0; project < 1_000; project++) {
      await bodies.consume(body({ project: `p${project}` }), { records: 1, rejected: 0, lane: "bulk" });
    }
    const families = await scrape(telemetry);
    expect(families.get("runproof_receiver_project_records_total")?.samples).toHaveLength(101);
    expect(sampleOf(families, "runproof_receiver_project_records_total", { project: "other" })).toBe(900);
  });
});

describe("the lag of verdicts", () => {
  it("is the time from a run's first sign of an end to its stored verdict, once", () => {
    let time = 0;
    const lags: number[] = [];
    const lag = createVerdictLag(
      (seconds) => lags.push(seconds),
      () => time,
    );
    const touched = (event: string) => [{ runId: "a", traceId: "t", event }];
    lag.seen(touched("start"));
    lag.stored([{ run_id: "a", status: "started" }]);
    time = 1_000;
    lag.seen(touched("run"));
    time = 1_500;
    lag.seen(touched("close"));
    lag.stored([{ run_id: "a", status: "started" }]);
    time = 3_000;
    lag.stored([{ run_id: "a", status: "passed" }]);
    lag.stored([{ run_id: "a", status: "passed" }]);
    expect(lags).toEqual([2]);
  });
});

describe("telemetry that is sent", () => {
  it("arrives at a backend, metrics and spans, with who it is from", async () => {
    backend = await startOtlpMetricsReceiver();
    const { metrics, resource, traces, url } = backend;
    telemetry = await createTelemetry({
      prometheus: false,
      endpoint: url,
      intervalMillis: 200,
      version: "1.2.3",
      onError,
    });
    telemetry.observe(SOURCES);
    countAll(telemetry);
    await telemetry.spans.around({ name: "runproof.test_work" }, async () => {});
    await vi.waitFor(() => expect(metrics.has(SELF_METRICS.requests.name)).toBe(true), { timeout: 60_000 });
    await vi.waitFor(() => expect(traces.length).toBeGreaterThan(0), { timeout: 60_000 });
    expect([...metrics.keys()].toSorted()).toEqual(
      Object.values(SELF_METRICS)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(metrics.get("runproof.spool.size")).toEqual({
      kind: "gauge",
      unit: "By",
      points: [{ labels: {}, value: 4_096 }],
    });
    expect(metrics.get("runproof.receiver.ack.duration")).toMatchObject({ kind: "histogram", unit: "s" });
    const reasons = metrics.get("runproof.engine.restarts")?.points;
    expect(reasons).toContainEqual({ labels: { reason: "stuck" }, value: 2 });
    expect(resource).toMatchObject({ "service.name": "runproof", "service.version": "1.2.3" });
    expect(Buffer.from(traces[0] ?? "").includes("runproof.test_work")).toBe(true);
    // What came back from here would be known as ours.
    expect(traces.every((trace) => telemetry?.isOwn(trace))).toBe(true);
  });

  it("is lost without harm when the backend does not take it, and told once", async () => {
    errors.length = 0;
    let refused = 0;
    const refusing = createServer((_request, response) => {
      refused++;
      response.writeHead(400).end();
    }).listen(0, "127.0.0.1");
    await once(refusing, "listening");
    const endpoint = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    telemetry = await createTelemetry({ prometheus: false, endpoint, intervalMillis: 100, version: "1", onError });
    telemetry.observe(SOURCES);
    await vi.waitFor(() => expect(refused).toBeGreaterThan(3), { timeout: 60_000 });
    await telemetry.shutdown();
    refusing.closeAllConnections();
    await new Promise((resolve) => refusing.close(resolve));
    expect(errors).toEqual(["sending own metrics"]);
  });
});

describe("spans about stored batches", () => {
  const record = (payload: string) => ({ payload: Buffer.from(payload) });
  const batch = (...payloads: string[]) => ({ name: "1", bytes: 1, records: payloads.map(record) });

  it("are not begotten by the telemetry of this process, so that none follows from another", async () => {
    backend = await startOtlpMetricsReceiver();
    const { traces, url } = backend;
    telemetry = await createTelemetry({ prometheus: false, endpoint: url, intervalMillis: 100, version: "1", onError });
    const told: string[] = [];
    const { spans, instruments, isOwn } = telemetry;
    const watched = {
      around: <R>(options: Parameters<typeof spans.around>[0], work: () => Promise<R>) => {
        if (options.worthASpan !== false) told.push(options.name);
        return spans.around(options, work);
      },
    };
    const store = meteredBatches(async () => {}, {
      instruments,
      spans: watched,
      isOwn,
      storeHealth: createStoreHealth(),
    });
    const signal = new AbortController().signal;
    await store(batch("a span of somebody else") as never, signal);
    await vi.waitFor(() => expect(traces.length).toBeGreaterThan(0), { timeout: 60_000 });
    expect(told).toHaveLength(1);
    const own = Buffer.from(traces[0] ?? "").toString("latin1");
    await store({ name: "2", bytes: 1, records: [{ payload: Buffer.from(own, "latin1") }] } as never, signal);
    expect(told).toHaveLength(1);
    await store(
      { name: "3", bytes: 1, records: [{ payload: Buffer.from(own, "latin1") }, record("theirs")] } as never,
      signal,
    );
    expect(told).toHaveLength(2);
  });
});
