import type { AlertRow } from "../clickhouse/monitor-rows.ts";
import type { LogRow } from "../clickhouse/rows.ts";
import type { OutboxItem } from "./outbox-ledger.ts";

/** What goes through the outbox: an alert that began or ended, or an event that is only to be logged. */
export type Notice = { readonly alert: AlertRow } | { readonly event: LogRow };

type Put = Omit<OutboxItem, "targets" | "at"> & { readonly payload: Notice };

/** The same for the same alert and state, whoever says it: receivers tell repetitions by its key. */
export const noticeOfAlert = (alert: AlertRow): Put => ({
  key: `${alert.alert_id}:${alert.state}`,
  subject: alert.alert_id,
  payload: { alert },
});

export const noticeOfEvent = (key: string, event: LogRow): Put => ({ key, subject: key, payload: { event } });
