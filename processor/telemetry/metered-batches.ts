import { ATTR_SELF_BYTES, ATTR_SELF_RECORDS, SPAN_STORE_BATCH } from "../../instrumentation/semconv.ts";
import type { SpoolBatch } from "../spool/index.ts";
import type { Instruments } from "./instruments.ts";
import type { SelfSpans } from "./self-spans.ts";
import type { StoreHealth } from "./store-health.ts";

export type StoreBatch = (batch: SpoolBatch, signal: AbortSignal) => Promise<void>;

export interface BatchMeter {
  readonly instruments: Instruments;
  readonly spans: SelfSpans;
  readonly storeHealth: StoreHealth;
  /** Whether a body holds nothing but telemetry of this very process. */
  readonly isOwn: (payload: Uint8Array) => boolean;
}

/** Stores as before; counts what has to be stored again and knows by it how the store is. */
export function meteredBatches(store: StoreBatch, { instruments, spans, storeHealth, isOwn }: BatchMeter): StoreBatch {
  return async (batch, signal) => {
    const attributes = { [ATTR_SELF_RECORDS]: batch.records.length, [ATTR_SELF_BYTES]: batch.bytes };
    const worthASpan = batch.records.some(({ payload }) => !isOwn(payload));
    try {
      await spans.around({ name: SPAN_STORE_BATCH, attributes, worthASpan }, () => store(batch, signal));
      storeHealth.stored();
    } catch (error) {
      instruments.batchRetries.add(1);
      storeHealth.failed(error);
      throw error;
    }
  };
}
