import type { AlertRow, BadRuns, CanaryResult, CanaryRound, RunCount } from "../../clickhouse/monitor-rows.ts";
import type { MonitorStore } from "../../clickhouse/monitor-store.ts";
import type { CollectorBeatRow } from "../../clickhouse/run-rows.ts";
import { alertKeyText } from "../alert-plan.ts";

/** A store of the monitor in memory, which several collectors may share. */
export interface MemoryStore extends MonitorStore {
  rounds: CanaryRound[];
  results: CanaryResult[];
  runs: RunCount[];
  bad: BadRuns[];
  beats: CollectorBeatRow[];
  /** Every row that was inserted, in order. */
  readonly inserted: AlertRow[];
  /** Reads fail while it is set. */
  broken: boolean;
}

export function createMemoryStore(): MemoryStore {
  const tokens = new Set<string>();
  const inserted: AlertRow[] = [];
  const read = async <Result>(result: () => Result): Promise<Result> => {
    if (store.broken) throw new Error("the store is away");
    return result();
  };
  const current = (): AlertRow[] => {
    const newest = new Map<string, AlertRow>();
    for (const row of inserted) {
      if ((newest.get(row.alert_id)?.version ?? 0) <= row.version) newest.set(row.alert_id, row);
    }
    return [...newest.values()];
  };
  const store: MemoryStore = {
    rounds: [],
    results: [],
    runs: [],
    bad: [],
    beats: [],
    inserted,
    broken: false,
    canariesHeard: () => read(() => ({ last_at: 0, longest_interval_seconds: 0 })),
    canaryRounds: () => read(() => store.rounds),
    canaryResults: () => read(() => store.results),
    runCounts: () => read(() => store.runs),
    alerts: (since) =>
      read(() => current().filter(({ state, resolved_at }) => state === "firing" || resolved_at! >= since)),
    alertsOf: (key) => read(() => current().filter((alert) => alertKeyText(alert) === alertKeyText(key))),
    badSince: () => read(() => store.bad),
    badRunsOf: (key) => read(() => store.bad.find((runs) => alertKeyText(runs) === alertKeyText(key))),
    async insertAlerts(rows, token) {
      await read(() => undefined);
      if (tokens.has(token)) return;
      tokens.add(token);
      inserted.push(...rows);
    },
    beatsSince: (since) => read(() => store.beats.filter(({ heard_at }) => heard_at >= since)),
    gapsSince: () => read(() => []),
  };
  return store;
}
