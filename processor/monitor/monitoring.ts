import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ApiRoute } from "../api/api-route.ts";
import { createMonitorStore } from "../clickhouse/monitor-store.ts";
import type { LogRow } from "../clickhouse/rows.ts";
import type { Store } from "../clickhouse/store.ts";
import type { Component } from "../component.ts";
import type { RunStore } from "../run/run-store.ts";
import { createCursorFile } from "./cursor-file.ts";
import { monitorFigures, type MonitorFigures, readingOfProject } from "./figures.ts";
import { decideGate } from "./gate/decide-gate.ts";
import type { GateDecision, GateInput, GateScope } from "./gate/gate-input.ts";
import { gateRoutes } from "./gate/gate-routes.ts";
import { createOverrides } from "./gate/overrides.ts";
import { createJournal } from "./journal.ts";
import { createMetricFigures, type MeteredMonitor, type MetricFigure } from "./metric-figures.ts";
import { createMonitor, type Monitor } from "./monitor.ts";
import { gatePolicyFrom, type MonitorConfig, type WebhookConfig } from "./monitor-config.ts";
import { monitorRoutes } from "./monitor-routes.ts";
import { noticeOfEvent } from "./notice.ts";
import { createOutbox } from "./outbox.ts";
import { overrideLogRow } from "./override-log-row.ts";
import { createStoreTargets } from "./store-targets.ts";
import { createWebhookTarget } from "./webhook/webhook-target.ts";

export interface MonitoringOptions {
  readonly config: MonitorConfig;
  readonly webhooks: readonly WebhookConfig[];
  readonly collectorId: string;
  /** Of the service; alerts and overrides have folders of their own in it. */
  readonly dataDirectory: string;
  readonly store: Store;
  readonly runs: Pick<RunStore, "beatsSince" | "gapsSince">;
  readonly forward?: ((rows: readonly LogRow[]) => Promise<void>) | undefined;
  /** What the service's parts say of themselves, asked at each decision. */
  readonly service: () => Pick<GateInput, "lifecycle" | "store" | "spool" | "watchdog">;
  /** Default: no scope. `undefined` from it is unknown, and closes the gate. */
  readonly scope?: (() => GateScope | undefined) | undefined;
  /** Whoever reaches the endpoint may be told everything. */
  readonly tellsEverybody: boolean;
  readonly onError: (what: string, error: unknown) => void;
}

/** The monitor with its alerts and the gate, composed. */
export interface Monitoring extends Component {
  readonly monitor: Monitor;
  readonly routes: readonly ApiRoute[];
  decide(project?: string): GateDecision;
  /** For the metrics. */
  figures(): MetricFigure[];
}

const MILLIS_PER_DAY = 86_400_000;

export function createMonitoring(options: MonitoringOptions): Monitoring {
  const { config, store, dataDirectory, onError } = options;
  const now = Date.now;
  const startedAt = now();
  const policy = gatePolicyFrom(config);
  const intervalMillis = config.monitorIntervalSeconds * 1_000;
  const directory = join(dataDirectory, "alerts");
  const monitorStore = createMonitorStore(store, options.runs);
  const outbox = createOutbox({
    journal: createJournal({ directory, name: "outbox.journal" }),
    targets: [...createStoreTargets({ store: monitorStore, forward: options.forward }), ...webhookTargets(options)],
    now,
    onError,
  });
  const monitor = createMonitor({
    collectorId: options.collectorId,
    store: monitorStore,
    outbox,
    cursor: createCursorFile(directory),
    intervalMillis,
    runWindowSeconds: config.monitorRunWindowMinutes * 60,
    lookBackMillis: config.alertLookBackDays * MILLIS_PER_DAY,
    onError,
  });
  const overrides = createOverrides({
    journal: createJournal({ directory: join(dataDirectory, "gate"), name: "overrides.journal" }),
    now,
    newId: randomUUID,
    onChange(override) {
      const key = `override-${override.id}:${override.revoked_at === undefined ? "granted" : "revoked"}`;
      outbox
        .put(noticeOfEvent(key, overrideLogRow(override)))
        .catch((error: unknown) => onError("logging an override of the gate", error));
    },
  });

  /** A part that cannot answer is unknown. */
  function safely<Result>(what: string, ask: () => Result): Result | undefined {
    try {
      return ask();
    } catch (error) {
      onError(what, error);
      return undefined;
    }
  }

  function figures(project?: string): MonitorFigures | undefined {
    const { reading } = monitor.state();
    if (reading === undefined) return undefined;
    return monitorFigures(project === undefined ? reading : readingOfProject(reading, project), now());
  }

  const scope = (): GateScope | "none" | undefined =>
    options.scope === undefined ? "none" : safely("asking for the project scope", options.scope);

  const decide = (project?: string): GateDecision => decideFrom({ figures: figures(project), scope: scope() });

  function decideFrom({ figures: found, scope: ownScope }: Pick<MeteredMonitor, "figures" | "scope">): GateDecision {
    const { problem, alerting } = monitor.state();
    const service = safely("asking the service's parts", options.service);
    const input: GateInput = {
      lifecycle: service?.lifecycle,
      store: service?.store,
      spool: service?.spool,
      watchdog: service?.watchdog,
      startedAt,
      monitor: {
        figures: found,
        intervalMillis,
        problem,
        alerting: alerting ?? (outbox.stats().full ? "the outbox is full" : undefined),
      },
      scope: ownScope,
      overrides: overrides.all(),
    };
    return decideGate(input, policy, now());
  }

  const metricFigures = createMetricFigures();
  const { tellsEverybody } = options;
  return {
    monitor,
    decide,
    routes: [
      ...gateRoutes({ decide, policy, overrides, tellsEverybody, now }),
      ...monitorRoutes({
        monitor,
        figures,
        outbox: () => outbox.stats(),
        intervalSeconds: config.monitorIntervalSeconds,
        now,
      }),
    ],
    figures() {
      // The decision is about the very figures that are told; a store with many fixtures is not gone through twice.
      const told = { figures: figures(), scope: scope() };
      const outboxPending = outbox.stats().pending;
      return metricFigures({ ...told, intervalMillis, decision: decideFrom(told), outboxPending }, now());
    },
    async start() {
      await overrides.open();
      await monitor.start();
    },
    async shutdown() {
      await monitor.shutdown();
      await overrides.close();
    },
  };
}

const webhookTargets = ({ config, webhooks }: MonitoringOptions) =>
  webhooks.map((webhook) =>
    createWebhookTarget({
      ...webhook,
      allowPrivate: config.webhookAllowPrivate,
      timeoutMillis: config.webhookTimeoutSeconds * 1_000,
      now: Date.now,
    }),
  );
