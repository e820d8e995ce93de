import { once } from "node:events";
import { connect } from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthenticator } from "../auth/authenticator.ts";
import { tokenSha256 } from "../auth/tokens.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import type { BodyConsumer } from "../receivers/body-consumer.ts";
import { createOtlpGrpcReceiver } from "../receivers/otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "../receivers/otlp-http-receiver.ts";
import { createServiceMeters, createStoreHealth, createTelemetry } from "./index.ts";
import type { ServiceMeters, StoreHealth, Telemetry } from "./index.ts";
import { rowsOfNativeBlock } from "./metered-inserts.ts";
import { parseExposition, sampleOf, type Family } from "./testing/parse-exposition.ts";

let telemetry: Telemetry;
let storeHealth: StoreHealth;
let meters: ServiceMeters;
beforeEach(async () => {
  telemetry = await createTelemetry({ prometheus: true, version: "1", onError: () => {} });
  storeHealth = createStoreHealth();
  meters = createServiceMeters(telemetry, storeHealth);
});
afterEach(() => telemetry.shutdown());

async function scrape(): Promise<Map<string, Family>> {
  const found = await telemetry.metricsText();
  return parseExposition(found.status === "ok" ? found.text : "");
}

/** A store that connects to nothing; its inserts end as the test says. */
const storeThat = (insert: () => Promise<void>): Store => ({
  ...createStore({ url: "http://127.0.0.1:1" }),
  insertRuns: insert,
  insertSpans: insert,
  insertQuarantine: insert,
  insertMonitorGaps: insert,
});

describe("a metered store", () => {
  it("counts rows once they are stored, verdicts by status, gaps by their length", async () => {
    const store = meters.store(storeThat(async () => {}));
    meters.seen([{ runId: "a", traceId: "t", event: "run" }]);
    await store.insertRuns([
      { run_id: "a", status: "passed" },
      { run_id: "b", status: "started" },
    ] as never);
    await store.insertSpans([{}, {}, {}] as never);
    await store.insertSpans([]);
    await store.insertQuarantine([{ received_at: 0, project: "", signal: "logs", reason: "", row_json: "" }]);
    await store.insertMonitorGaps([{ started_at: 1_000, ended_at: 4_500, reason: "" }]);
    const families = await scrape();
    const value = (name: string, labels = {}) => sampleOf(families, name, labels);
    expect(value("runproof_store_rows_total", { table: "otel_traces" })).toBe(3);
    expect(value("runproof_store_insert_duration_seconds_count", { table: "otel_traces" })).toBe(1);
    expect(value("runproof_run_verdicts_total", { status: "passed" })).toBe(1);
    expect(value("runproof_run_verdicts_total", { status: "started" })).toBe(1);
    expect(value("runproof_run_verdict_lag_seconds_count")).toBe(1);
    expect(value("runproof_store_quarantined_total", { signal: "logs" })).toBe(1);
    expect(value("runproof_monitor_gap_time_seconds_total")).toBe(3.5);
  });

  it("counts no rows of a failed insert, passes its error on and keeps its time apart", async () => {
    const broken = new Error("away");
    const store = meters.store(storeThat(() => Promise.reject(broken)));
    await expect(store.insertSpans([{}] as never)).rejects.toBe(broken);
    await expect(store.insertRuns([{ run_id: "a", status: "passed" }] as never)).rejects.toBe(broken);
    const families = await scrape();
    expect(families.has("runproof_store_rows_total")).toBe(false);
    expect(families.has("runproof_run_verdicts_total")).toBe(false);
    const failed = { table: "otel_traces", outcome: "failed" };
    expect(sampleOf(families, "runproof_store_insert_duration_seconds_count", failed)).toBe(1);
  });
});

describe("metered batches", () => {
  it("know by failures how the store is", async () => {
    let works = false;
    const store = meters.batches(async () => {
      if (!works) throw new Error("connect ECONNREFUSED");
    });
    const batch = { name: "1", records: [], bytes: 0 };
    const { signal } = new AbortController();
    expect(storeHealth.up).toBe(true);
    await expect(store(batch, signal)).rejects.toThrow("ECONNREFUSED");
    expect(storeHealth).toMatchObject({ up: false, problem: "connect ECONNREFUSED" });
    works = true;
    await store(batch, signal);
    expect(storeHealth).toMatchObject({ up: true, problem: undefined, failingSince: undefined });
    expect(sampleOf(await scrape(), "runproof_store_batch_retries_total")).toBe(1);
  });
});

describe("requests that are turned away", () => {
  it("are counted by reason, with and without a body, over both protocols", async () => {
    const tokens = [{ sha256: tokenSha256("t"), project: "p", scopes: ["read"] as const }];
    const authenticator = createAuthenticator({ tokens });
    const bodies: BodyConsumer = { consume: async () => ({ status: "accepted" }) };
    const http = createOtlpHttpReceiver({ bodies, authenticator, port: 0, onRefused: meters.onRefused("http") });
    const open = createOtlpHttpReceiver({ bodies, port: 0, onRefused: meters.onRefused("http") });
    const grpc = createOtlpGrpcReceiver({ bodies, authenticator, port: 0, onRefused: meters.onRefused("grpc") });
    for (const receiver of [http, open, grpc]) await receiver.start();
    const send = (receiver: typeof http, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`http://127.0.0.1:${receiver.address().port}${path}`, { method: "POST", ...init });
    const headers = { "content-type": "application/x-protobuf" };
    await send(http, "/v1/traces", { headers: { ...headers, authorization: "Bearer t" } });
    await send(http, "/v1/traces", { headers });
    await send(open, "/v1/metrics", { headers });
    await send(open, "/v1/traces", { headers, body: "no protobuf" });
    await callGrpc(`http://127.0.0.1:${grpc.address().port}`);
    for (const receiver of [http, open, grpc]) await receiver.shutdown();
    const families = await scrape();
    const counted = (protocol: string, outcome: string): number | undefined =>
      sampleOf(families, "runproof_receiver_requests_total", { protocol, outcome });
    for (const outcome of ["forbidden", "unauthenticated", "unknown_path", "not_decodable"]) {
      expect(counted("http", outcome)).toBe(1);
    }
    expect(counted("grpc", "unauthenticated")).toBe(1);
  });
});

async function callGrpc(url: string): Promise<void> {
  const session = connect(url);
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  stream.end();
  await once(stream.resume(), "close");
  session.close();
}

describe("the rows of a Native block", () => {
  it.each([
    { head: [22, 0], rows: 0 },
    { head: [22, 127, 1, 2], rows: 127 },
    { head: [22, 0x80, 0x01], rows: 128 },
    { head: [0x80, 0x01, 0xff, 0xff, 0x03], rows: 65_535 },
    { head: [], rows: 0 },
  ])("are read from its head: $rows", ({ head, rows }) => {
    expect(rowsOfNativeBlock([Uint8Array.from(head), new Uint8Array(3)])).toBe(rows);
  });
});

describe("the strict reader of Prometheus' text", () => {
  it.each([
    ["no end of the last line", "# TYPE a gauge\na 1", /no end/],
    ["a sample without a family", "a 1\n", /of no family/],
    ["another family's sample", "# TYPE a gauge\nb 1\n", /of no family/],
    ["a series twice", '# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n', /series comes twice/],
    ["a family twice", "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n", /family comes twice/],
    ["an unescaped quote", '# TYPE a gauge\na{x="1"2"} 1\n', /bad labels/],
    ["a bad name", "# TYPE a.b gauge\na.b 1\n", /neither HELP nor TYPE/],
    ["no number", "# TYPE a gauge\na one\n", /no sample/],
    ["a histogram without all its counts", '# TYPE a histogram\na_bucket{le="+Inf"} 1\na_count 2\n', /add up/],
  ])("refuses %s", (_what, text, message) => {
    expect(() => parseExposition(text)).toThrow(message);
  });
});
