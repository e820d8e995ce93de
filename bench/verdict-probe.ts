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

/** Few enough, and all of them in one query, so that looking does not load the engine. */
const EVERY_MILLIS = 200;
const LOOK_MILLIS = 100;
const PATIENCE_MILLIS = 60_000;

const SQL = `SELECT run_id AS run, any(r.status) AS status FROM runproof_runs AS r
  WHERE r.agent_name = {agent:String} AND r.run_id IN {runs:Array(String)} AND r.status != 'started' GROUP BY run`;

export function createVerdictProbe(url: string): VerdictProbe {
  const store = createStore({ url });
  const millis: number[] = [];
  const missing: string[] = [];
  const statuses: Record<string, number> = {};
  /** Run id to the time of its acknowledgement. */
  const waiting = new Map<string, number>();
  let next = 0;
  let finishing = false;

  async function look(): Promise<void> {
    const runs = [...waiting.keys()];
    const asked = { agent: LOAD_AGENT, runs };
    const rows =
      runs.length === 0 ? [] : await store.query<{ run: string; status: string }>(SQL, asked).catch(() => []);
    const now = performance.now();
    for (const { run, status } of rows) {
      millis.push(Math.round(now - (waiting.get(run) ?? now)));
      statuses[status] = (statuses[status] ?? 0) + 1;
      waiting.delete(run);
    }
    for (const [run, since] of waiting) {
      if (now - since < PATIENCE_MILLIS) continue;
      missing.push(run);
      waiting.delete(run);
    }
  }

  const looking = (async () => {
    while (!finishing || waiting.size > 0) {
      await look();
      await sleep(LOOK_MILLIS);
    }
  })();

  return {
    acknowledged(runId) {
      if (runId === undefined || performance.now() < next) return;
      next = performance.now() + EVERY_MILLIS;
      waiting.set(runId, performance.now());
    },
    async finish() {
      finishing = true;
      await looking;
      await store.close();
      return { millis, missing, statuses };
    },
  };
}
