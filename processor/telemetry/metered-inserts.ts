import { LABEL_OUTCOME, LABEL_SIGNAL, LABEL_STATUS, LABEL_TABLE } from "../../instrumentation/semconv.ts";
import type { insertNative } from "../clickhouse/native-insert.ts";
import type { Store } from "../clickhouse/store.ts";
import type { Instruments } from "./instruments.ts";

export type InsertNative = typeof insertNative;

async function timed(instruments: Instruments, table: string, insert: () => Promise<void>): Promise<void> {
  const begin = performance.now();
  let outcome = "failed";
  try {
    await insert();
    outcome = "stored";
  } finally {
    const labels = { [LABEL_TABLE]: table, [LABEL_OUTCOME]: outcome };
    instruments.insertDuration.record((performance.now() - begin) / 1_000, labels);
  }
}

/** The same store; its inserts are timed and their rows counted once they are stored. */
export function meteredStore(store: Store, instruments: Instruments): Store {
  const metered =
    <Row>(table: string, insert: (rows: readonly Row[], token?: string) => Promise<void>) =>
    async (rows: readonly Row[], token?: string): Promise<void> => {
      if (rows.length === 0) return;
      await timed(instruments, table, () => insert(rows, token));
      instruments.storeRows.add(rows.length, { [LABEL_TABLE]: table });
    };
  const insertRuns = metered("runproof_run_history", store.insertRuns);
  const insertQuarantine = metered("runproof_quarantine", store.insertQuarantine);
  const insertGaps = metered("runproof_monitor_gaps", store.insertMonitorGaps);
  return {
    ...store,
    insertSpans: metered("otel_traces", store.insertSpans),
    insertLogs: metered("otel_logs", store.insertLogs),
    async insertRuns(rows, token) {
      await insertRuns(rows, token);
      for (const { status } of rows) instruments.verdicts.add(1, { [LABEL_STATUS]: status });
    },
    async insertMonitorGaps(rows, token) {
      await insertGaps(rows, token);
      for (const { started_at, ended_at } of rows) {
        instruments.gaps.add(1);
        instruments.gapTime.add(Math.max(0, ended_at - started_at) / 1_000);
      }
    },
    async insertQuarantine(rows, token) {
      await insertQuarantine(rows, token);
      for (const { signal } of rows) instruments.quarantinedRows.add(1, { [LABEL_SIGNAL]: signal });
    },
  };
}

/** The same for blocks of the Native format. */
export const meteredNativeInsert =
  (insert: InsertNative, instruments: Instruments): InsertNative =>
  async (target, block) => {
    await timed(instruments, target.table, () => insert(target, block));
    instruments.storeRows.add(rowsOfNativeBlock(block), { [LABEL_TABLE]: target.table });
  };

/** A block begins with the numbers of its columns and of its rows, both as varints. */
export function rowsOfNativeBlock(block: readonly Uint8Array[]): number {
  const [head = new Uint8Array()] = block;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < head.length; scale *= 128) {
      const byte = head[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  };
  varint();
  return varint();
}
