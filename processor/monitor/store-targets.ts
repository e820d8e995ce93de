import type { MonitorStore } from "../clickhouse/monitor-store.ts";
import type { LogRow } from "../clickhouse/rows.ts";
import type { Store } from "../clickhouse/store.ts";
import { alertLogRow } from "./alert-json.ts";
import type { Notice } from "./notice.ts";
import type { DeliveryOutcome, DeliveryTarget } from "./outbox.ts";

export const STORE_TARGET = "store";

export interface StoreTargets {
  readonly store: Pick<MonitorStore, "insertAlerts"> & Pick<Store, "insertLogs">;
  /** Passes events on; resolves when they are durable. Default: nobody. */
  readonly forward?: ((rows: readonly LogRow[]) => Promise<void>) | undefined;
}

/** The table of alerts, the log event, and what is forwarded. Each by its own: one that fails does not repeat the others. */
export function createStoreTargets({ store, forward }: StoreTargets): DeliveryTarget[] {
  const target = (name: string, send: (notice: Notice, key: string) => Promise<void>): DeliveryTarget => ({
    name,
    deliver: (item) => outcomeOf(() => send(item.payload as Notice, item.key)),
  });
  return [
    target(STORE_TARGET, async (notice, key) => {
      if ("alert" in notice) await store.insertAlerts([notice.alert], `alert-${key}`);
    }),
    target("log", (notice, key) => store.insertLogs([logRowOf(notice)], `alert-log-${key}`)),
    ...(forward === undefined ? [] : [target("forward", (notice) => forward([logRowOf(notice)]))]),
  ];
}

const logRowOf = (notice: Notice): LogRow => ("alert" in notice ? alertLogRow(notice.alert) : notice.event);

async function outcomeOf(send: () => Promise<void>): Promise<DeliveryOutcome> {
  try {
    await send();
    return { status: "delivered" };
  } catch (error) {
    return { status: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}
