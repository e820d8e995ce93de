import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createEmbeddedEngine, type EmbeddedEngine } from "./clickhouse/embedded/embedded-engine.ts";
import { createRunStore } from "./clickhouse/run-store.ts";
import type { MonitorGapRow } from "./clickhouse/run-rows.ts";
import { createStore, type Store, type StoreOptions } from "./clickhouse/store.ts";
import type { Component } from "./component.ts";
import type { ServiceConfig } from "./config.ts";
import { createIngest } from "./ingest/ingest.ts";
import { createPipeline } from "./pipeline.ts";
import { createOtlpGrpcReceiver } from "./receivers/otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "./receivers/otlp-http-receiver.ts";
import { receiverGuardsFrom } from "./receivers/receiver-config.ts";
import type { ReceiverGuards } from "./receivers/receiver-guards.ts";
import { createMonitorHeartbeat } from "./run/monitor-heartbeat.ts";
import { createRunAssembler, type RunAssembler } from "./run/run-assembler.ts";
import type { VerdictListener } from "./run/run-recorder.ts";
import type { RunStore } from "./run/run-store.ts";
import { createWatchdog } from "./run/watchdog.ts";

export interface ServiceOptions {
  /** Told of every verdict that says something new. */
  readonly onVerdict?: VerdictListener;
  /** Lines for the operator. Default: none. */
  readonly log?: (message: string) => void;
}

export interface Service {
  /** `http://host:port`, without a path. */
  readonly otlpUrl: string;
  /** The same for OTLP/gRPC. */
  readonly otlpGrpcUrl: string;
  /** Where any ClickHouse client reads. */
  readonly clickhouseUrl: string;
  /** Process id of the embedded engine now serving, for diagnostics; `undefined` with a server or while it restarts. */
  enginePid(): number | undefined;
  /** Stops accepting, finishes what was accepted, closes the store. Safe to call twice. */
  shutdown(): Promise<void>;
  /** Resolves when everything acknowledged is stored and every stored run that is due has been judged. */
  idle(): Promise<void>;
}

const HEARTBEAT_MILLIS = 2_000;
const MILLIS_PER_DAY = 86_400_000;

/** Builds and starts the whole service. Throws what the first component that cannot start says. */
export async function startService(config: ServiceConfig, options: ServiceOptions = {}): Promise<Service> {
  const log = options.log ?? (() => {});
  const onError = (what: string, error: unknown): void =>
    log(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
  await mkdir(config.dataDirectory, { recursive: true });
  const guards = await receiverGuardsFrom(config);
  const engine = config.clickhouseUrl === undefined ? embeddedEngine(config, log) : undefined;
  const pipelineOfStore = createPipeline(engine === undefined ? [] : [engine]);
  await pipelineOfStore.start();
  const target = storeTarget(config, engine);
  const store = createStore(target);
  const rest = composeAround({ store, target, guards }, { config, options, onError });
  try {
    await store.migrate();
    await store.verifySchema();
    await rest.pipeline.start();
  } catch (error) {
    await store.close().catch(() => {});
    await pipelineOfStore.shutdown().catch(() => {});
    throw error;
  }
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    try {
      await rest.pipeline.shutdown();
    } finally {
      // Whatever would not stop: an engine left behind would keep the data directory locked.
      await Promise.allSettled([store.close()]);
      await pipelineOfStore.shutdown();
    }
  };
  return {
    otlpUrl: urlOf(guards.tls === undefined ? "http" : "https", rest.http.address()),
    otlpGrpcUrl: urlOf(guards.tls === undefined ? "http" : "https", rest.grpc.address()),
    clickhouseUrl: engine?.url() ?? config.clickhouseUrl ?? "",
    enginePid: () => engine?.pid(),
    shutdown: () => (stopping ??= stop()),
    idle: rest.idle,
  };
}

const urlOf = (scheme: string, { host, port }: { readonly host: string; readonly port: number }): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;

const embeddedEngine = (config: ServiceConfig, log: (message: string) => void): EmbeddedEngine =>
  createEmbeddedEngine({
    dataDirectory: join(config.dataDirectory, "clickhouse"),
    port: config.clickhousePort,
    host: config.host,
    logger: { warn: log },
  });

function storeTarget(config: ServiceConfig, engine: EmbeddedEngine | undefined): StoreOptions {
  if (engine !== undefined) return { url: engine.url(), ...engine.serviceCredentials() };
  return {
    url: config.clickhouseUrl ?? "",
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: config.clickhouseDatabase,
  };
}

interface Surroundings {
  readonly config: ServiceConfig;
  readonly options: ServiceOptions;
  readonly onError: (what: string, error: unknown) => void;
}

interface Built {
  readonly store: Store;
  readonly target: StoreOptions;
  readonly guards: ReceiverGuards;
}

/** Everything between the store and the wire, in the order it starts: judge first, receive last. */
function composeAround({ store, target, guards }: Built, { config, options, onError }: Surroundings) {
  const runs = createRunStore(store);
  const assembler = createRunAssembler({
    store: runs,
    graceMillis: config.graceSeconds * 1_000,
    settleMillis: config.settleSeconds * 1_000,
    now: Date.now,
    onError,
    ...(options.onVerdict === undefined ? {} : { onVerdict: options.onVerdict }),
  });
  const watch = watchOver({ config, options, onError }, { store, runs, assembler });
  // Judging starts when spans are readable, never before: a verdict is a function of stored facts.
  const ingest = createIngest({
    store,
    target,
    spoolDirectory: join(config.dataDirectory, "spool"),
    spoolMaxBytes: config.spoolMaxBytes,
    onStored: (touched) => assembler.observe(touched),
    onError,
  });
  const { host, otlpPort: port, otlpGrpcPort } = config;
  const http = createOtlpHttpReceiver({ ...guards, host, port, bodies: ingest.bodies });
  const grpc = createOtlpGrpcReceiver({ ...guards, host, port: otlpGrpcPort, bodies: ingest.bodies });
  const pipeline = createPipeline([assembler, ...watch, ...ingest.components, http, grpc]);
  const idle = async (): Promise<void> => {
    await ingest.idle();
    await assembler.idle();
  };
  return { pipeline, http, grpc, idle };
}

interface Stored {
  readonly store: Store;
  readonly runs: RunStore;
  readonly assembler: RunAssembler;
}

/** Takes over from the process before, then looks for runs that never ended; knows when nobody was looking. */
function watchOver({ config, onError }: Surroundings, { store, runs, assembler }: Stored): Component[] {
  const gaps: MonitorGapRow[] = [];
  const heartbeat = createMonitorHeartbeat({
    file: join(config.dataDirectory, "monitor-heartbeat"),
    intervalMillis: HEARTBEAT_MILLIS,
    now: Date.now,
    onGap: (gap) => {
      gaps.push(gap);
      return store.insertMonitorGaps([gap]);
    },
    onError,
  });
  const watchdog = createWatchdog({
    overdue: (at) => runs.openRunsPastDeadline(at),
    abandon: (run) => assembler.abandon(run),
    gaps: () => {
      heartbeat.check();
      return gaps;
    },
    scanMillis: config.watchdogScanSeconds * 1_000,
    quietMillis: config.graceSeconds * 1_000,
    now: Date.now,
    onError,
  });
  const sweepMillis = config.sweepDays * MILLIS_PER_DAY;
  return [heartbeat, catchUp({ store, runs, assembler }, { gaps, sweepMillis }), watchdog];
}

/** What the process before left behind: its absences count, and what it left unjudged is judged. */
function catchUp(
  { store, runs, assembler }: Stored,
  { gaps, sweepMillis }: { readonly gaps: MonitorGapRow[]; readonly sweepMillis: number },
): Component {
  return {
    async start() {
      gaps.splice(0, gaps.length, ...(await store.query<MonitorGapRow>(GAPS_SQL)));
      for (const run of await runs.unsettledRuns(Date.now() - sweepMillis)) assembler.revisit(run);
    },
    shutdown: async () => {},
  };
}

const GAPS_SQL = `
  SELECT toUnixTimestamp64Milli(started_at) AS started_at, toUnixTimestamp64Milli(ended_at) AS ended_at, reason
  FROM runproof_monitor_gaps WHERE ended_at > now() - INTERVAL 30 DAY`;
