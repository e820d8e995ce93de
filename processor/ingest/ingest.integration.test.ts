import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isContentError } from "../clickhouse/content-error.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { startEngineFixture, type EngineFixture } from "../clickhouse/testing/engine-fixture.ts";
import { spanRow } from "../clickhouse/testing/row-samples.ts";
import { createPipeline, type Pipeline } from "../pipeline.ts";
import type { TouchedRun } from "../native/index.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, span, traces } from "../otlp/testing/model-builders.ts";
import { createIngest, type Ingest } from "./ingest.ts";
import { storeRows } from "./store-rows.ts";

let directory: string;
let fixture: EngineFixture;
let store: Store;
let ingest: Ingest;
let pipeline: Pipeline;
const touched: TouchedRun[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-ingest-"));
  fixture = await startEngineFixture();
  const target = { url: fixture.engine.url(), ...fixture.engine.serviceCredentials() };
  store = createStore(target);
  await store.migrate();
  ingest = createIngest({
    store,
    target,
    spoolDirectory: join(directory, "spool"),
    spoolMaxBytes: 1 << 30,
    onStored: (runs) => touched.push(...runs),
    onError: () => {},
  });
  pipeline = createPipeline([ingest.spool, ingest.drain]);
  await pipeline.start();
});

afterAll(async () => {
  await pipeline.shutdown();
  await store.close();
  await fixture.close();
  await rm(directory, { recursive: true, force: true });
});

const hex = (index: number, length: number): string => index.toString(16).padStart(length, "0");

/** An OTLP/JSON body of one span, of a run. */
const body = (index: number, service: string, project = "") => ({
  signal: "traces" as const,
  encoding: "json" as const,
  project,
  receivedAtMillis: 1,
  bytes: Buffer.from(
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: hex(index + 1, 32),
                  spanId: hex(index + 1, 16),
                  name: "s",
                  startTimeUnixNano: "1795242245995000001",
                  endTimeUnixNano: "1795242245995000002",
                  attributes: [{ key: "runproof.run.id", value: { stringValue: `run-${index}` } }],
                },
              ],
            },
          ],
        },
      ],
    }),
  ),
});
const LOGS = JSON.stringify({
  resourceLogs: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "both" } }] },
      scopeLogs: [{ logRecords: [{ timeUnixNano: "1795242245995000001", body: { stringValue: "hello" } }] }],
    },
  ],
});
const summary = { records: 1, rejected: 0, lane: "bulk" } as const;

const spanIds = async (service: string): Promise<string[]> => {
  const sql = "SELECT SpanId FROM otel_traces WHERE ServiceName = {service:String}";
  return (await store.query<{ SpanId: string }>(sql, { service })).map((row) => row.SpanId).toSorted();
};

describe("ingest", () => {
  it("stores every acknowledged body once, and tells of its runs, while the engine is killed", async () => {
    const acknowledged: string[] = [];
    const sender = async (offset: number): Promise<void> => {
      for (let index = offset; index < offset + 100; index++) {
        expect(await ingest.bodies.consume(body(index, "killed"), summary)).toEqual({ status: "accepted" });
        acknowledged.push(hex(index + 1, 16));
      }
    };
    const killer = async (): Promise<void> => {
      let last: number | undefined;
      for (const at of [50, 150]) {
        await vi.waitUntil(() => acknowledged.length >= at, { timeout: 60_000, interval: 2 });
        const pid = await vi.waitUntil(() => fixture.engine.pid() !== last && fixture.engine.pid(), {
          timeout: 60_000,
        });
        process.kill(pid, "SIGKILL");
        last = pid;
      }
    };
    await Promise.all([sender(0), sender(1_000), sender(2_000), killer()]);
    await ingest.idle();
    expect(await spanIds("killed")).toEqual(acknowledged.toSorted());
    expect(new Set(touched.map((run) => run.runId)).size).toBe(300);
  });

  it("stores both signals of one batch, each in its table", async () => {
    const log = { ...body(0, ""), signal: "logs" as const, bytes: Buffer.from(LOGS) };
    await Promise.all([ingest.bodies.consume(body(7_000, "both"), summary), ingest.bodies.consume(log, summary)]);
    await ingest.idle();
    expect(await spanIds("both")).toHaveLength(1);
    expect(await store.query("SELECT Body FROM otel_logs WHERE ServiceName = 'both'")).toEqual([{ Body: "hello" }]);
  });

  it("puts the credential's project on what it stores", async () => {
    await ingest.bodies.consume(body(5_000, "stamped", "team-a"), summary);
    await ingest.idle();
    const sql =
      "SELECT ResourceAttributes['runproof.project'] AS project FROM otel_traces WHERE ServiceName = 'stamped'";
    expect(await store.query(sql)).toEqual([{ project: "team-a" }]);
  });

  it("stores protobuf bodies of both signals under the credential's project", async () => {
    const resource = [attribute("service.name", "columns"), attribute("runproof.project", "theirs")];
    const own = { encoding: "protobuf" as const, project: "ours", receivedAtMillis: 1 };
    const spans = encodeTracesProtobuf(
      traces([span({ attributes: [attribute("runproof.project", "mine")] })], resource),
    );
    const records = encodeLogsProtobuf(logs([logRecord({ body: { type: "stringValue", value: "hi" } })], resource));
    await ingest.bodies.consume({ ...own, signal: "traces", bytes: spans }, summary);
    await ingest.bodies.consume({ ...own, signal: "logs", bytes: records }, summary);
    await ingest.idle();
    const claimed =
      "ResourceAttributes['runproof.project'] AS own, ResourceAttributes['runproof.project.claimed'] AS was";
    expect(
      await store.query(
        `SELECT ${claimed}, SpanAttributes['runproof.project.claimed'] AS spanWas FROM otel_traces WHERE ServiceName = 'columns'`,
      ),
    ).toEqual([{ own: "ours", was: "theirs", spanWas: "mine" }]);
    expect(await store.query(`SELECT ${claimed}, Body FROM otel_logs WHERE ServiceName = 'columns'`)).toEqual([
      { own: "ours", was: "theirs", Body: "hi" },
    ]);
  });

  it("puts bad rows into quarantine with their reason and stores the rest", async () => {
    const bad = spanRow({ SpanId: "bad", ServiceName: "mixed", Duration: "not a number" });
    const uneven = spanRow({ SpanId: "uneven", ServiceName: "mixed", "Events.Name": ["one", "too many"] });
    const good = Array.from({ length: 20 }, (_, index) => spanRow({ SpanId: hex(index, 16), ServiceName: "mixed" }));
    const sink = {
      insert: (rows: readonly SpanRow[], token: string) => store.insertSpans(rows, token),
      isContentError,
      quarantine: (row: SpanRow, reason: string, token: string) =>
        store.insertQuarantine(
          [{ received_at: 1, project: "p", signal: "traces", reason, row_json: JSON.stringify(row) }],
          token,
        ),
    };
    for (let again = 0; again < 2; again++) {
      expect(await storeRows([...good.slice(0, 7), bad, ...good.slice(7), uneven], "mixed", sink)).toBe(2);
    }
    expect(await spanIds("mixed")).toEqual(good.map((row) => row.SpanId));
    const kept = await store.query<{ reason: string; row_json: string }>(
      "SELECT reason, row_json FROM runproof_quarantine",
    );
    expect(kept.map((one) => JSON.parse(one.row_json) as SpanRow)).toHaveLength(2);
    for (const { reason } of kept) expect(reason).not.toBe("");
  });
});
