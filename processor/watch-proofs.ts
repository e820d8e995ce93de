import type { Operations } from "./admin/index.ts";
import { isLoopback } from "./auth/exposure.ts";
import type { Authenticator } from "./auth/identity.ts";
import type { EmbeddedEngine } from "./clickhouse/embedded/embedded-engine.ts";
import type { Store } from "./clickhouse/store.ts";
import type { ServiceConfig } from "./config.ts";
import type { Forward } from "./exporters/index.ts";
import { createMonitoring, type GateScope, type Monitoring, type WebhookConfig } from "./monitor/index.ts";
import type { RunStore } from "./run/run-store.ts";
import type { Watchdog } from "./run/watchdog.ts";
import type { Spool } from "./spool/index.ts";

export interface ProofSettings {
  readonly config: ServiceConfig;
  readonly webhooks: readonly WebhookConfig[];
  readonly operations: Pick<Operations, "lifecycle" | "storeHealth">;
  readonly authenticator: Authenticator;
  readonly onError: (what: string, error: unknown) => void;
}

/** What the gate looks at. */
export interface Proven {
  readonly store: Store;
  readonly collectorId: string;
  readonly engine: EmbeddedEngine | undefined;
  readonly runs: RunStore;
  readonly forward: Forward | undefined;
  readonly watchdog: Watchdog;
  readonly spool: Spool;
  readonly scope: () => GateScope | undefined;
}

/** The monitor, its alerts and the gate, with what they ask of the other parts. */
export function watchProofs(settings: ProofSettings, proven: Proven): Monitoring {
  const { config, operations, authenticator, webhooks, onError } = settings;
  const { engine, forward, watchdog, spool, ...stored } = proven;
  const { lifecycle, storeHealth } = operations;
  return createMonitoring({
    ...stored,
    config,
    webhooks,
    dataDirectory: config.dataDirectory,
    forward: forward && ((rows) => forward.forwardLogRows(rows)),
    tellsEverybody: authenticator.open && (isLoopback(config.adminHost) || config.allowUnauthenticated),
    onError,
    service() {
      const { writable, bytes, pendingBytes } = spool.stats();
      return {
        lifecycle: lifecycle.state,
        store: { up: storeHealth.up && engine?.stats().up !== false, problem: storeHealth.problem },
        spool: { writable, share: (bytes + pendingBytes) / config.spoolMaxBytes },
        watchdog: {
          lastScanAt: watchdog.lastScanAt(),
          scanMillis: config.watchdogScanSeconds * 1_000,
          quietMillis: config.graceSeconds * 1_000,
        },
      };
    },
  });
}
