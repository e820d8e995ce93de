import type { ConsumeOutcome } from "./outcome.ts";

/**
 * Takes a decoded batch of one signal (OpenTelemetry Collector: `consumer.Traces`, `consumer.Logs`).
 *
 * - Resolves when the batch's fate is known: `accepted` means durable, not queued.
 * - Never rejects for bad data or a store in trouble; those are outcomes.
 * - May be called many times at once, and twice with the same rows: senders retry.
 * - Must not change the rows.
 */
export interface Consumer<Row> {
  consume(rows: readonly Row[]): Promise<ConsumeOutcome>;
}
