import type { ApiRoute } from "../api/api-route.ts";
import type { Authenticator } from "../auth/identity.ts";
import type { EngineStats } from "../clickhouse/embedded/embedded-engine.ts";
import type { Component } from "../component.ts";
import type { MetricFigure } from "../monitor/index.ts";
import type { SpoolStats } from "../spool/index.ts";
import { createStoreHealth, createTelemetry, type StoreHealth } from "../telemetry/index.ts";
import type { ForwardFigures, RunFigures, Telemetry } from "../telemetry/index.ts";
import { type AdminServer, createAdminServer } from "./admin-server.ts";
import { createSpoolCheck, eventLoopCheck, listeningCheck, storeCheck, watchdogCheck } from "./checks.ts";
import type { Check } from "./health-check.ts";
import { createLifecycle, type Lifecycle } from "./lifecycle.ts";
import type { OperationsConfig } from "./operations-config.ts";

export interface OperationsOptions {
  readonly config: Pick<
    OperationsConfig,
    "adminPort" | "adminHost" | "telemetryEndpoint" | "telemetryIntervalSeconds" | "drainSeconds"
  > & { readonly allowUnauthenticated: boolean };
  readonly authenticator: Authenticator;
  /** Of the package. */
  readonly version: string;
  readonly onError: (what: string, error: unknown) => void;
}

/** What is watched once the service is composed. */
export interface WatchedService {
  readonly spool: () => SpoolStats;
  readonly spoolMaxBytes: number;
  /** Of each receiver; throws while it does not listen. */
  readonly addresses: Readonly<Record<string, () => unknown>>;
  readonly watchdog: { lastScanAt(): number | null };
  readonly watchdogScanMillis: number;
  readonly engine?: () => EngineStats;
  readonly runs?: () => RunFigures;
  readonly forward?: () => ForwardFigures;
  readonly monitor?: () => readonly MetricFigure[];
  /** What is told under `/v1/…`. */
  readonly routes?: readonly ApiRoute[];
}

/** All for those who run the service: what it says about itself, whether it works, and where they ask. */
export interface Operations extends Component {
  readonly telemetry: Telemetry;
  readonly storeHealth: StoreHealth;
  readonly lifecycle: Lifecycle;
  /** `http://host:port`; `undefined` when it is off or not listening. */
  adminUrl(): string | undefined;
  /** Until then the service is alive and not ready. To be called once. */
  watch(service: WatchedService): void;
}

/** To be started before everything else and shut down after it: probes want an answer from the first second to the last. */
export async function createOperations(options: OperationsOptions): Promise<Operations> {
  const { config, authenticator, version, onError } = options;
  const telemetry = await createTelemetry({
    prometheus: config.adminPort !== "off",
    endpoint: config.telemetryEndpoint,
    intervalMillis: config.telemetryIntervalSeconds * 1_000,
    version,
    onError,
  });
  const storeHealth = createStoreHealth();
  const lifecycle = createLifecycle(config.drainSeconds * 1_000);
  let checks: () => readonly Check[] = () => [];
  let routes: readonly ApiRoute[] = [];
  const admin =
    config.adminPort === "off"
      ? undefined
      : createAdminServer({
          host: config.adminHost,
          port: config.adminPort,
          liveness: () => [eventLoopCheck(telemetry.eventLoopDelay), lifecycle.overdueCheck()],
          readiness: () => [lifecycle.check(), ...checks()],
          metrics: () => telemetry.metricsText(),
          authenticator,
          allowUnauthenticated: config.allowUnauthenticated,
          routes: () => routes,
        });
  return {
    telemetry,
    storeHealth,
    lifecycle,
    adminUrl: () => urlOf(admin),
    watch(service) {
      checks = checksOf(service, storeHealth);
      routes = service.routes ?? [];
      const { watchdog, watchdogScanMillis: scanMillis, addresses: _addresses, routes: _routes, ...sources } = service;
      telemetry.observe({
        ...sources,
        storeUp: () => storeHealth.up && service.engine?.().up !== false,
        watchdog: () => ({ lastScanAt: watchdog.lastScanAt(), scanMillis }),
      });
    },
    async start() {
      await telemetry.start();
      await admin?.start().catch((cause: unknown) => {
        const where = `${config.adminHost}:${config.adminPort}`;
        throw new Error(`cannot listen on ${where} (adminPort, RUNPROOF_ADMIN_PORT; off for none)`, { cause });
      });
    },
    async shutdown() {
      await telemetry.shutdown();
      await admin?.shutdown();
    },
  };
}

function checksOf(service: WatchedService, health: StoreHealth): () => readonly Check[] {
  const spoolCheck = createSpoolCheck({ stats: service.spool, maxBytes: service.spoolMaxBytes });
  return () => [
    ...Object.entries(service.addresses).map(([name, address]) => listeningCheck(name, address)),
    spoolCheck(),
    storeCheck({ health, engine: service.engine }),
    watchdogCheck({
      lastScanAt: service.watchdog.lastScanAt(),
      scanMillis: service.watchdogScanMillis,
      now: Date.now(),
    }),
  ];
}

function urlOf(admin: AdminServer | undefined): string | undefined {
  try {
    const address = admin?.address();
    return address && `http://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
  } catch {
    return undefined;
  }
}
