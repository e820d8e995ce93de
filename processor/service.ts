import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Verdict } from "../instrumentation/contract/verdict.ts";
import { userIdentity } from "../instrumentation/scope/user-identity.ts";
import { createOperations, type Operations } from "./admin/index.ts";
import type { TokenEntry } from "./auth/tokens.ts";
import { createEmbeddedEngine, type EmbeddedEngine } from "./clickhouse/embedded/embedded-engine.ts";
import { createRunStore } from "./clickhouse/run-store.ts";
import { createScopeStore } from "./clickhouse/scope-store.ts";
import type { RunRow } from "./clickhouse/run-rows.ts";
import { createStore, type Store, type StoreOptions } from "./clickhouse/store.ts";
import { storeSettingsFrom, type StoreSettings } from "./clickhouse/store-config.ts";
import type { ServiceConfig } from "./config.ts";
import type { RunFacts } from "./evidence/run-facts.ts";
import { createErrorLog } from "./error-log.ts";
import { createForward, type Forward, FORWARD_READER } from "./exporters/index.ts";
import { createIngest, type StoreTarget } from "./ingest/ingest.ts";
import { type GateScope, type WebhookConfig, webhooksFrom } from "./monitor/index.ts";
import { createPipeline } from "./pipeline.ts";
import { createOtlpGrpcReceiver } from "./receivers/otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver } from "./receivers/otlp-http-receiver.ts";
import { type ConfiguredGuards, receiverGuardsFrom } from "./receivers/receiver-config.ts";
import { readCollectorId } from "./run/collector-id.ts";
import { createFoldThread } from "./run/fold-thread.ts";
import { createRunAssembler } from "./run/run-assembler.ts";
import { readAgentContracts } from "./run/agent-contracts.ts";
import { type AgentContracts, readFacts } from "./run/stored-facts.ts";
import { verdictLogRow } from "./run/verdict-log-row.ts";
import { createServiceScope, driftLogRow, type ServiceScope } from "./scope/index.ts";
import type { Spool } from "./spool/index.ts";
import { createServiceMeters, type ServiceMeters } from "./telemetry/index.ts";
import { watchOver } from "./watch-over.ts";
import { watchProofs } from "./watch-proofs.ts";

export interface ServiceOptions {
  /** Told of every verdict that says something new; what the run did is read when it is asked for. */
  readonly onVerdict?: (row: RunRow, verdict: Verdict, facts: () => Promise<RunFacts>) => void | Promise<void>;
  /** What agents promise that other instrumentations watch, by name; added to those of `contractsFile`, and stronger. */
  readonly contracts?: AgentContracts;
  /** runproof's own project scope as it is now; `undefined` from it is unknown, and closes the gate. Default: no scope. */
  readonly scope?: () => GateScope | undefined;
  /** Lines for the operator. Default: none. */
  readonly log?: (message: string) => void;
  /** Of the package, for the service's own telemetry. Default `unknown`. */
  readonly version?: string;
}

export interface Service {
  /** `http://host:port`, without a path. */
  readonly otlpUrl: string;
  /** The same for OTLP/gRPC. */
  readonly otlpGrpcUrl: string;
  /** Where any ClickHouse client reads. */
  readonly clickhouseUrl: string;
  /** Health, readiness and metrics; `undefined` when they are off. */
  readonly adminUrl: string | undefined;
  /** Process id of the embedded engine now serving, for diagnostics; `undefined` with a server or while it restarts. */
  enginePid(): number | undefined;
  /** Stops accepting, finishes what was accepted, closes the store. Safe to call twice. */
  shutdown(): Promise<void>;
  /** Resolves when everything acknowledged is stored and every stored run that is due has been judged. */
  idle(): Promise<void>;
}

/** Beyond the drain's own bound: receivers answer what is under way. Then nothing waits for the store any more. */
const STOP_SLACK_MILLIS = 10_000;

/** Builds and starts the whole service. Throws what the first component that cannot start says. */
export async function startService(config: ServiceConfig, options: ServiceOptions = {}): Promise<Service> {
  const log = options.log ?? (() => {});
  const onError = createErrorLog(log);
  await mkdir(config.dataDirectory, { recursive: true });
  const guards = await receiverGuardsFrom(config);
  const webhooks = await webhooksFrom(config);
  const contracts = { ...(await readAgentContracts(config.contractsFile)), ...options.contracts };
  const operations = await createOperations({
    config,
    authenticator: guards.authenticator,
    version: options.version ?? "unknown",
    onError,
  });
  await operations.start();
  try {
    return await startComposed({ config, options, onError, operations, guards, contracts, webhooks });
  } catch (error) {
    await operations.shutdown().catch(() => {});
    throw error;
  }
}

interface Surroundings {
  readonly config: ServiceConfig;
  readonly options: ServiceOptions;
  readonly onError: (what: string, error: unknown) => void;
  readonly operations: Operations;
  readonly guards: ConfiguredGuards;
  readonly contracts: AgentContracts;
  readonly webhooks: readonly WebhookConfig[];
}

async function startComposed(around: Surroundings): Promise<Service> {
  const { config, options, operations, guards } = around;
  const log = options.log ?? (() => {});
  const settings = await storeSettingsFrom(config);
  const engine = config.clickhouseUrl === undefined ? embeddedEngine(config, log, guards.tokens) : undefined;
  const pipelineOfStore = createPipeline(engine === undefined ? [] : [engine]);
  await pipelineOfStore.start();
  const target = storeTarget(config, engine, settings);
  const meters = createServiceMeters(operations.telemetry, operations.storeHealth);
  const store = meters.store(createStore(target));
  const collectorId = await readCollectorId(config.dataDirectory);
  const rest = composeAround({ store, target, collectorId, meters, engine }, around);
  operations.watch({
    ...rest.watched,
    spoolMaxBytes: config.spoolMaxBytes,
    watchdogScanMillis: config.watchdogScanSeconds * 1_000,
    ...(engine && { engine: () => engine.stats() }),
  });
  try {
    await store.migrate();
    await store.verifySchema();
    for (const change of await store.applyRetention(settings.retention)) log(change);
    await rest.pipeline.start();
  } catch (error) {
    await store.close().catch(() => {});
    await pipelineOfStore.shutdown().catch(() => {});
    throw error;
  }
  operations.lifecycle.running();
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    operations.lifecycle.draining();
    // Judging and watching wait for their statements; closing the store ends those.
    const deadline = setTimeout(
      () => void store.close().catch(() => {}),
      config.drainSeconds * 1_000 + STOP_SLACK_MILLIS,
    );
    try {
      await rest.pipeline.shutdown();
    } finally {
      clearTimeout(deadline);
      // Whatever would not stop: an engine left behind would keep the data directory locked.
      await Promise.allSettled([store.close()]);
      await Promise.allSettled([pipelineOfStore.shutdown()]);
      await operations.shutdown();
    }
  };
  return {
    otlpUrl: urlOf(guards.tls === undefined ? "http" : "https", rest.http.address()),
    otlpGrpcUrl: urlOf(guards.tls === undefined ? "http" : "https", rest.grpc.address()),
    clickhouseUrl: engine?.url() ?? config.clickhouseUrl ?? "",
    adminUrl: operations.adminUrl(),
    enginePid: () => engine?.pid(),
    shutdown: () => (stopping ??= stop()),
    idle: rest.idle,
  };
}

const urlOf = (scheme: string, { host, port }: { readonly host: string; readonly port: number }): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;

const embeddedEngine = (
  config: ServiceConfig,
  log: (message: string) => void,
  tokens: readonly TokenEntry[] | undefined,
): EmbeddedEngine =>
  createEmbeddedEngine({
    dataDirectory: join(config.dataDirectory, "clickhouse"),
    port: config.clickhousePort,
    host: config.host,
    ...(tokens !== undefined && { tokens }),
    ...(config.engineMaxMib !== undefined && { maxMib: config.engineMaxMib }),
    logger: { warn: log },
  });

function storeTarget(
  config: ServiceConfig,
  engine: EmbeddedEngine | undefined,
  settings: StoreSettings,
): StoreOptions & StoreTarget {
  if (engine !== undefined)
    return { url: engine.url(), inboxDirectory: engine.inboxDirectory(), ...engine.serviceCredentials() };
  return {
    url: config.clickhouseUrl ?? "",
    username: config.clickhouseUser,
    password: config.clickhousePassword,
    database: config.clickhouseDatabase,
    ...settings.options,
  };
}

interface Built {
  readonly store: Store;
  readonly target: StoreTarget;
  readonly collectorId: string;
  readonly meters: ServiceMeters;
  readonly engine: EmbeddedEngine | undefined;
}

/** Everything between the store and the wire, in the order it starts: judge first, receive last. */
function composeAround(built: Built, around: Surroundings) {
  const { store, target, collectorId, meters, engine } = built;
  const { config, options, operations, onError, guards, contracts, webhooks } = around;
  const runs = createRunStore(store);
  const folder = createFoldThread(target, contracts);
  const assembler = createRunAssembler({
    store: runs,
    folder,
    graceMillis: config.graceSeconds * 1_000,
    settleMillis: config.settleSeconds * 1_000,
    // Without any contract nothing could come of it.
    readsTraces: config.contractsFile !== undefined || options.contracts !== undefined,
    onError,
    async onVerdict(row, verdict) {
      await forward?.forwardLogRows([verdictLogRow(row, verdict)]);
      await options.onVerdict?.(row, verdict, () => readFacts(runs, row));
    },
  });
  // Judging starts when spans are readable, never before: a verdict is a function of stored facts.
  const ingest = createIngest({
    store,
    target,
    spoolDirectory: join(config.dataDirectory, "spool"),
    spoolMaxBytes: config.spoolMaxBytes,
    // A reader that nobody serves would keep every segment for ever.
    spoolReaders: config.forwardEndpoint === undefined ? [] : [FORWARD_READER],
    drainMillis: config.drainSeconds * 1_000,
    metering: meters,
    onStored: (touched, receivedSince) => {
      meters.seen(touched);
      assembler.observe(touched, receivedSince);
    },
    onError,
  });
  const forward = forwardOf(around, ingest.spool);
  const storedThrough = (): number => Date.now() - (ingest.spool.stats().oldestRecordAgeMillis ?? 0);
  const { components: watch, watchdog } = watchOver(
    { config, onError },
    { runs, assembler, collectorId, storedThrough, meters },
  );
  const scope = scopeOf({ store, collectorId, forward }, around);
  const monitoring = watchProofs(
    { config, webhooks, operations, authenticator: guards.authenticator, onError },
    {
      ...{ store, collectorId, engine, runs, forward, watchdog, spool: ingest.spool },
      scope: options.scope ?? (() => scope.health()),
    },
  );
  const { host, otlpPort: port, otlpGrpcPort } = config;
  const receiver = (protocol: "http" | "grpc") => ({
    ...guards,
    onRefused: meters.onRefused(protocol),
    bodies: meters.bodies(ingest.bodies, protocol),
    host,
  });
  const http = createOtlpHttpReceiver({ ...receiver("http"), port });
  const grpc = createOtlpGrpcReceiver({ ...receiver("grpc"), port: otlpGrpcPort });
  const pipeline = createPipeline([
    ...(forward ? [forward.events] : []),
    folder,
    assembler,
    ...watch,
    ingest.spool,
    // After the spool, which keeps two services out of one folder.
    scope,
    monitoring,
    ...(forward ? [forward.bodies] : []),
    ingest.drain,
    http,
    grpc,
  ]);
  const idle = async (): Promise<void> => {
    await ingest.idle();
    await assembler.idle();
  };
  const addresses = { otlp_http: () => http.address(), otlp_grpc: () => grpc.address() };
  const watched = {
    spool: () => ingest.spool.stats(),
    addresses,
    watchdog,
    monitor: () => monitoring.figures(),
    routes: [...monitoring.routes, ...scope.routes],
    ...(forward && { forward: () => forward.stats() }),
  };
  return { pipeline, http, grpc, idle, watched };
}

/** `undefined` when nothing is forwarded. */
function forwardOf({ config, onError }: Surroundings, spool: Spool): Forward | undefined {
  const { forwardEndpoint, host, otlpPort, otlpGrpcPort } = config;
  if (forwardEndpoint === undefined) return undefined;
  return createForward({
    config: { ...config, forwardEndpoint },
    bodies: spool.reader(FORWARD_READER),
    directory: join(config.dataDirectory, "forward"),
    listeners: [
      { host, port: otlpPort },
      { host, port: otlpGrpcPort },
    ],
    onError,
    now: Date.now,
  });
}

/** runproof's own project scope; what drifts is an event in the store and wherever telemetry is passed on to. */
function scopeOf(
  { store, collectorId, forward }: Pick<Built, "store" | "collectorId"> & { readonly forward: Forward | undefined },
  { config, guards, onError }: Surroundings,
): ServiceScope {
  return createServiceScope({
    config,
    scopes: createScopeStore(store),
    projects: guards.tokens && new Set(guards.tokens.map(({ project }) => project)),
    identity: userIdentity(),
    writtenBy: collectorId,
    async onDrift(event) {
      const rows = [driftLogRow(event, Date.now())];
      await store.insertLogs(rows).catch((error: unknown) => onError("storing a scope drift", error));
      await forward?.forwardLogRows(rows);
    },
    now: Date.now,
    newId: randomUUID,
  });
}
