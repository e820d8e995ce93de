/**
 * What became of a batch, as data. `receivers/otlp-status.ts` is the one place that maps it to the wire.
 *
 * - `accepted`: everything is durable. - `partial`: the rest is durable; `rejected` records are not, and a retry
 *   would not help. - `retryable`: nothing is promised, the sender should come back. - `permanent`: never retry.
 */
export type ConsumeOutcome =
  | { readonly status: "accepted" }
  | { readonly status: "partial"; readonly rejected: number; readonly message: string }
  | { readonly status: "retryable"; readonly message: string; readonly retryAfterSeconds?: number }
  | { readonly status: "permanent"; readonly message: string };

export const ACCEPTED: ConsumeOutcome = { status: "accepted" };
