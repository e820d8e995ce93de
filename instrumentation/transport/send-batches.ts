import type { OtlpResult } from "./otlp-sender.ts";
import { encodeRecords, type RecordResource, type RecordSpan } from "./record-span.ts";

export type SendBody = (body: string) => Promise<OtlpResult>;

export interface BatchOutcome {
  readonly acknowledged: readonly string[];
  /** Never to be taken, with the collector's reason. */
  readonly rejected: readonly { readonly span: RecordSpan; readonly reason: string }[];
  /** Why sending stopped before the end; `undefined` when everything was sent. */
  readonly stopped: string | undefined;
}

const BATCH_RECORDS = 100;
const BATCH_CHARACTERS = 1_000_000;

/**
 * Sends records in batches and stops at the first sign of a collector that is not there. A batch refused for good is
 * sent again one by one, so that one bad record costs itself only. `onAcknowledged` hears of every batch at once.
 */
export async function sendInBatches(
  resource: RecordResource,
  spans: readonly RecordSpan[],
  send: SendBody,
  onAcknowledged: (spanIds: readonly string[]) => void,
): Promise<BatchOutcome> {
  const acknowledged: string[] = [];
  const rejected: { span: RecordSpan; reason: string }[] = [];
  const queue = batchesOf(spans);
  for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
    const result = await send(encodeRecords(resource, batch));
    const [only] = batch;
    if (result.outcome === "acknowledged") {
      const ids = batch.map((span) => span.spanId);
      acknowledged.push(...ids);
      onAcknowledged(ids);
    } else if (result.outcome === "unreachable" || !result.permanent) {
      return { acknowledged, rejected, stopped: result.reason };
    } else if (batch.length === 1 && only !== undefined) rejected.push({ span: only, reason: result.reason });
    else queue.unshift(...batch.map((span) => [span]));
  }
  return { acknowledged, rejected, stopped: undefined };
}

function batchesOf(spans: readonly RecordSpan[]): RecordSpan[][] {
  const batches: RecordSpan[][] = [];
  let room = 0;
  for (const span of spans) {
    const size = JSON.stringify(span).length;
    const current = batches.at(-1);
    if (current === undefined || current.length >= BATCH_RECORDS || size > room) {
      batches.push([span]);
      room = BATCH_CHARACTERS - size;
    } else {
      current.push(span);
      room -= size;
    }
  }
  return batches;
}
