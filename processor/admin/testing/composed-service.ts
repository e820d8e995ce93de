import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAuthenticator } from "../../auth/authenticator.ts";
import { isContentError } from "../../clickhouse/content-error.ts";
import { createEmbeddedEngine, type EmbeddedEngine } from "../../clickhouse/embedded/embedded-engine.ts";
import { SPAN_COLUMNS } from "../../clickhouse/rows.ts";
import { createStore, type Store } from "../../clickhouse/store.ts";
import { createSpoolBodies } from "../../ingest/spool-bodies.ts";
import { createSpoolDrain } from "../../ingest/spool-drain.ts";
import { createTracesWriter } from "../../ingest/traces-writer.ts";
import { createPipeline } from "../../pipeline.ts";
import { createOtlpHttpReceiver } from "../../receivers/otlp-http-receiver.ts";
import { createSpool } from "../../spool/index.ts";
import { createServiceMeters } from "../../telemetry/index.ts";
import { createOperations, type Operations } from "../index.ts";

export interface ComposedOptions {
  readonly directory: string;
  readonly drainSeconds?: number;
  readonly spoolMaxBytes?: number;
  readonly telemetryEndpoint?: string;
  readonly hungAfterMillis?: number;
  readonly stuckAfterMillis?: number;
  readonly engineMaxMib?: number;
}

/** The service's parts that this room is about, put together as the service puts them together. */
export interface ComposedService {
  readonly otlpUrl: string;
  readonly adminUrl: string;
  readonly store: Store;
  readonly engine: EmbeddedEngine;
  readonly operations: Operations;
  idle(): Promise<void>;
  shutdown(): Promise<void>;
}

const ENTRY = fileURLToPath(new URL("../../clickhouse/embedded/testing/ill-engine-process.ts", import.meta.url));

export async function startComposedService(options: ComposedOptions): Promise<ComposedService> {
  const { directory, drainSeconds = 20, spoolMaxBytes = 1 << 30, telemetryEndpoint } = options;
  await mkdir(directory, { recursive: true });
  const onError = (): void => {};
  const operations = await createOperations({
    config: {
      adminPort: 0,
      adminHost: "127.0.0.1",
      telemetryIntervalSeconds: 0.2,
      drainSeconds,
      telemetryEndpoint,
      allowUnauthenticated: false,
    },
    authenticator: createAuthenticator(),
    version: "0",
    onError,
  });
  await operations.start();
  const { hungAfterMillis = 10_000, stuckAfterMillis = 30_000, engineMaxMib = 2_048 } = options;
  const engine = createEmbeddedEngine({
    dataDirectory: join(directory, "clickhouse"),
    port: 0,
    entry: ENTRY,
    hungAfterMillis,
    stuckAfterMillis,
    maxMib: engineMaxMib,
  });
  await engine.start();
  const meters = createServiceMeters(operations.telemetry, operations.storeHealth);
  const target = { url: engine.url(), ...engine.serviceCredentials() };
  const store = meters.store(createStore(target));
  await store.migrate();
  const spool = createSpool({
    directory: join(directory, "spool"),
    maxBytes: spoolMaxBytes,
    fs: meters.spoolFs,
    now: Date.now,
    onError,
  });
  let givenUp: AbortSignal | undefined;
  const writeTraces = createTracesWriter({
    insert: (rows, token) => store.insertSpans(rows, token),
    isContentError,
    quarantine: async () => {},
    insertNative: (pieces, token) =>
      meters.insertNative(
        { ...target, table: "otel_traces", columns: SPAN_COLUMNS, token, ...(givenUp && { signal: givenUp }) },
        pieces,
      ),
  });
  const drain = createSpoolDrain({
    spool,
    drainMillis: drainSeconds * 1_000,
    store: meters.batches(async (batch, signal) => {
      givenUp = signal;
      await writeTraces(batch.records, batch.name);
    }),
    onError,
  });
  const http = createOtlpHttpReceiver({ port: 0, bodies: meters.bodies(createSpoolBodies(spool), "http") });
  const pipeline = createPipeline([spool, drain, http]);
  await pipeline.start();
  operations.watch({
    spool: () => spool.stats(),
    spoolMaxBytes,
    addresses: { otlp_http: () => http.address() },
    watchdog: { lastScanAt: () => null },
    watchdogScanMillis: 1_000,
    engine: () => engine.stats(),
  });
  operations.lifecycle.running();
  return {
    otlpUrl: `http://127.0.0.1:${http.address().port}`,
    adminUrl: operations.adminUrl() ?? "",
    store,
    engine,
    operations,
    idle: () => drain.idle(),
    async shutdown() {
      operations.lifecycle.draining();
      await pipeline.shutdown();
      await store.close();
      await engine.shutdown();
      await operations.shutdown();
    },
  };
}
