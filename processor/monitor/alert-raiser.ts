import type { AlertKey, AlertRow, BadRuns } from "../clickhouse/monitor-rows.ts";
import type { MonitorStore } from "../clickhouse/monitor-store.ts";
import {
  alertKeyText,
  countedAlert,
  firingAlert,
  newsOf,
  provingCanary,
  type Resolve,
  resolvedAlert,
  type Trouble,
  troubles,
} from "./alert-plan.ts";
import { type Notice, noticeOfAlert } from "./notice.ts";
import type { Outbox } from "./outbox.ts";
import type { MonitorReading } from "./reading.ts";
import { STORE_TARGET } from "./store-targets.ts";

/** A run comes in before it ends; of a later episode, those that came in long before belong to the one before. */
const EARLIER_EPISODE_MILLIS = 600_000;

export interface AlertRaiserOptions {
  readonly store: Pick<MonitorStore, "alertsOf" | "badSince" | "badRunsOf" | "insertAlerts">;
  readonly outbox: Outbox;
  /** How far back the first bad run of a class is looked for, milliseconds. */
  readonly lookBackMillis: number;
  /** Beyond it no more are raised, and that is told: somebody makes a class or a revision of every run. Default 2,000. */
  readonly maxFiring?: number;
  readonly now: () => number;
}

export interface AlertRaiser {
  /**
   * Raises what deserves an alert among what was judged since then, and resolves what is proven. `done`: nothing is left;
   * else the same time is to be asked for again, `full` when no more alerts are taken. Rejects when the store or the disk fails; a repetition carries on.
   */
  raise(reading: MonitorReading, judgedSince: number): Promise<"done" | "more" | "full">;
  resolve(alert: AlertRow, resolve: Omit<Resolve, "now">): Promise<"stored" | "known" | "full">;
  /** Alerts as they are, with what is on its way to the store. */
  current(stored: readonly AlertRow[]): AlertRow[];
}

/** A storm of classes is worked off in portions. */
const RAISED_AT_ONCE = 50;
/** Of what this process told, so much is remembered beside what the store says. */
const RECENT_KEPT = 4_000;
/** An alert that goes on is counted again so often. */
const COUNTED_MILLIS = 60_000;

export function createAlertRaiser(options: AlertRaiserOptions): AlertRaiser {
  const { store, outbox, lookBackMillis, maxFiring = 2_000, now } = options;
  const counted = new Map<string, number>();
  /** Told by this process, and perhaps not among those that were read yet. */
  const recent = new Map<string, AlertRow>();

  function current(stored: readonly AlertRow[]): AlertRow[] {
    const newest = new Map<string, AlertRow>();
    for (const alert of [...stored, ...alertsOf(outbox), ...recent.values()]) {
      const other = newest.get(alert.alert_id);
      if (other === undefined || other.version < alert.version) newest.set(alert.alert_id, alert);
    }
    return [...newest.values()];
  }

  /** `known`: those at hand of its key. */
  async function tell(trouble: Trouble, known: readonly AlertRow[]): Promise<"told" | "nothing" | "full"> {
    let news = newsOf(trouble, known);
    // What was resolved long ago is not among those at hand.
    if (news.kind === "new") news = newsOf(trouble, [...known, ...(await store.alertsOf(trouble.key))]);
    if (news.kind === "nothing") return "nothing";
    if (news.kind === "more") {
      if (trouble.bad !== undefined) await countAgain(news.alert, trouble.key);
      return "nothing";
    }
    const runs = await badRuns(trouble, news.since);
    const alert = firingAlert({ trouble, ...news, runs, now: now() });
    return (await put(alert)) === "full" ? "full" : "told";
  }

  async function put(alert: AlertRow): Promise<"stored" | "known" | "full"> {
    const outcome = await outbox.put(noticeOfAlert(alert));
    if (outcome !== "stored") return outcome;
    recent.delete(alert.alert_id);
    recent.set(alert.alert_id, alert);
    for (const oldest of recent.keys()) if (recent.size > RECENT_KEPT) recent.delete(oldest);
    return outcome;
  }

  async function badRuns({ key, bad }: Trouble, since: number): Promise<BadRuns | undefined> {
    return (await store.badRunsOf(key, Math.max(since, now() - lookBackMillis))) ?? bad;
  }

  async function countAgain(alert: AlertRow, key: AlertKey): Promise<void> {
    const at = now();
    // Its first row must be there before a later one, or the store would have the count and nobody the alert.
    if (outbox.waitsFor(noticeOfAlert(alert).key, STORE_TARGET)) return;
    if (at - (counted.get(alert.alert_id) ?? 0) < COUNTED_MILLIS) return;
    counted.set(alert.alert_id, at);
    const before = alert.episode === 1 ? lookBackMillis : EARLIER_EPISODE_MILLIS;
    const runs = await store.badRunsOf(key, Math.max(alert.first_bad_at - before, 0));
    const next = runs && countedAlert(alert, runs);
    if (next !== undefined) await store.insertAlerts([next], `alert-${next.alert_id}-${next.version}`);
  }

  return {
    current,
    resolve: (alert, by) => put(resolvedAlert(alert, { ...by, now: now() })),
    async raise(reading, judgedSince) {
      const alerts = current(reading.alerts);
      for (const alert of alerts) {
        const proof = alert.state === "firing" ? provingCanary(alert, reading.results) : undefined;
        if (proof === undefined) continue;
        const by = { by: `canary ${proof.fixture_id}`, reason: proof.explanation, fixtureId: proof.fixture_id };
        if ((await this.resolve(alert, by)) === "full") return "full";
      }
      const byKey = Map.groupBy(alerts, alertKeyText);
      const firing = alerts.filter(({ state }) => state === "firing").length;
      let told = 0;
      for (const trouble of troubles(await store.badSince(judgedSince), reading.results)) {
        if (told >= RAISED_AT_ONCE) return "more";
        if (firing + told >= maxFiring) return "full";
        const outcome = await tell(trouble, byKey.get(alertKeyText(trouble.key)) ?? []);
        if (outcome === "full") return "full";
        if (outcome === "told") told++;
      }
      const ids = new Set(alerts.map(({ alert_id }) => alert_id));
      for (const id of counted.keys()) if (!ids.has(id)) counted.delete(id);
      return "done";
    },
  };
}

const alertsOf = (outbox: Outbox): AlertRow[] =>
  outbox.open().flatMap(({ payload }) => {
    const notice = payload as Notice;
    return "alert" in notice ? [notice.alert] : [];
  });
