import { isDeepStrictEqual } from "node:util";
import type { Store } from "../processor/clickhouse/store.ts";
import { storedSpans } from "../processor/faults/testing/stored-spans.ts";
import { until } from "./collector.ts";
import type { LoadReport } from "./load-generator.ts";
import { BATCH_SPANS, LOAD_SERVICE, type SteadyBatches } from "./steady-batches.ts";

/** What the store says against what the sender says. */
export interface StoredCheck {
  readonly acknowledged: number;
  readonly rows: number;
  readonly distinct: number;
  /** Acknowledged batches that are not stored whole. */
  readonly lostBatches?: number;
  /** Stored batches that nobody sent. */
  readonly foreignBatches?: number;
  readonly compared?: number;
  /** Of the compared spans, those with any column unlike what was sent. */
  readonly unequal?: number;
  readonly quarantined?: number;
  /** Why the store cannot read all of its rows; nothing else is known then. */
  readonly unreadable?: string;
  /** From the sender's end until all was stored. */
  readonly catchUpSeconds: number;
}

const COMPARED_BATCHES = 60;

/** Waits until everything acknowledged is stored, at most `millis`; then counts and compares. */
export async function checkStored(
  store: Store,
  batches: SteadyBatches,
  { report, millis }: { readonly report: LoadReport; readonly millis: number },
): Promise<StoredCheck> {
  const began = performance.now();
  const acknowledged = report.acknowledgements.length * BATCH_SPANS;
  let counts = { rows: 0, distinct: 0 };
  await until(async () => (counts = await countSpans(store)).distinct >= acknowledged, millis, 250);
  const catchUpSeconds = Math.round((performance.now() - began) / 100) / 10;
  const unreadable = await unreadableBecause(store);
  if (unreadable !== undefined) return { acknowledged, ...counts, unreadable, catchUpSeconds };
  const wholeness = await batchesInStore(store, report);
  const compared = await compare(store, batches, report);
  const [quarantined] = await store.query<{ rows: number }>("SELECT count() AS rows FROM runproof_quarantine");
  return { acknowledged, ...counts, ...wholeness, ...compared, quarantined: quarantined?.rows ?? 0, catchUpSeconds };
}

export async function countSpans(store: Store): Promise<{ rows: number; distinct: number }> {
  const sql =
    "SELECT count() AS rows, uniqExact(TraceId, SpanId) AS distinct FROM otel_traces WHERE ServiceName = {name:String}";
  const [row] = await store.query<{ rows: number; distinct: number }>(sql, { name: LOAD_SERVICE }).catch(() => []);
  return row ?? { rows: 0, distinct: 0 };
}

/** Reads every column: a count alone does not meet a damaged file. */
async function unreadableBecause(store: Store): Promise<string | undefined> {
  try {
    await store.query("SELECT sum(cityHash64(*)) FROM otel_traces");
    return undefined;
  } catch (error) {
    return String(error);
  }
}

async function batchesInStore(store: Store, { sentBatches, unacknowledged }: LoadReport) {
  const sql = `SELECT substring(TraceId, 25) AS batch, uniqExact(TraceId, SpanId) AS spans FROM otel_traces
    WHERE ServiceName = {name:String} GROUP BY batch`;
  const found = await store.query<{ batch: string; spans: number }>(sql, { name: LOAD_SERVICE });
  const spans = new Map(found.map((row) => [Number.parseInt(row.batch, 16) - 1, row.spans]));
  const never = new Set(unacknowledged);
  const sent = Array.from({ length: sentBatches }, (_, batch) => batch);
  return {
    lostBatches: sent.filter((batch) => !never.has(batch) && spans.get(batch) !== BATCH_SPANS).length,
    foreignBatches: [...spans.keys()].filter((batch) => batch < 0 || batch >= sentBatches).length,
  };
}

/** Batches from the whole time, all columns of all their spans. */
async function compare(store: Store, batches: SteadyBatches, { sentBatches }: LoadReport) {
  let compared = 0;
  let unequal = 0;
  // A step that takes all kinds of batches.
  const step = Math.max(1, Math.floor(sentBatches / COMPARED_BATCHES) | 1);
  for (let batch = 0; batch < sentBatches; batch += step) {
    const expected = new Map(batches.rows(batch).map((row) => [`${row.TraceId} ${row.SpanId}`, row]));
    const traces = [...new Set([...expected.values()].map((row) => row.TraceId))];
    for (const row of await storedSpans(store, "TraceId IN ({traces:Array(String)})", { traces })) {
      compared++;
      if (!isDeepStrictEqual(row, expected.get(`${row.TraceId} ${row.SpanId}`))) unequal++;
    }
  }
  return { compared, unequal };
}
