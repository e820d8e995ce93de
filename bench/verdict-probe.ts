import { setTimeout as sleep } from "node:timers/promises";
import { createStore } from "../processor/clickhouse/store.ts";
import { LOAD_AGENT } from "./steady-batches.ts";

export interface VerdictReport {
  /** From the acknowledgement of the closing batch until the verdict was readable, milliseconds. */
  readonly millis: readonly number[];
  /** Samples whose verdict did not come within a minute. */
  readonly missing: readonly string[];
  readonly statuses: Readonly<Record<string, number>>;
}

export interface VerdictProbe {
  /** The run's last batch was acknowledged just now; looks at some of them. */
  acknowledged(runId: string | undefined): void;
  /** Resolves when every sample has ended. */
  finish(): Promise<VerdictReport>;
}

/** Few enough that looking does not load the engine. */
const EVERY_MILLIS = 200;
const LOOK_MILLIS = 50;
const PATIENCE_MILLIS = 60_000;

const SQL = `SELECT status FROM runproof_runs
  WHERE agent_name = {agent:String} AND run_id = {run:String} AND status != 'started' LIMIT 1`;

export function createVerdictProbe(url: string): VerdictProbe {
  const store = createStore({ url });
  const millis: number[] = [];
  const missing: string[] = [];
  const statuses: Record<string, number> = {};
  const looking = new Set<Promise<void>>();
  let next = 0;

  async function look(run: string): Promise<void> {
    const began = performance.now();
    while (performance.now() - began < PATIENCE_MILLIS) {
      const rows = await store.query<{ status: string }>(SQL, { agent: LOAD_AGENT, run }).catch(() => []);
      const status = rows[0]?.status;
      if (status !== undefined) {
        millis.push(Math.round(performance.now() - began));
        statuses[status] = (statuses[status] ?? 0) + 1;
        return;
      }
      await sleep(LOOK_MILLIS);
    }
    missing.push(run);
  }

  return {
    acknowledged(runId) {
      if (runId === undefined || performance.now() < next) return;
      next = performance.now() + EVERY_MILLIS;
      const sample = look(runId).finally(() => looking.delete(sample));
      looking.add(sample);
    },
    async finish() {
      await Promise.all(looking);
      await store.close();
      return { millis, missing, statuses };
    },
  };
}
