import type { RecordKind } from "../spool/index.ts";

/** A protobuf `Export…ServiceRequest`. */
export interface OtlpRequest {
  readonly kind: RecordKind;
  readonly body: Uint8Array;
}

/**
 * What became of a request, as the OTLP specification sorts answers.
 *
 * - `sent`: taken, but for `rejected` of its records. - `retryable`: the same request may be taken later.
 * - `refused`: never. `divisible`: a part of it may be taken, as when one record is bad or all are too many.
 */
export type SendOutcome =
  | { readonly status: "sent"; readonly rejected: number; readonly message: string }
  | { readonly status: "retryable"; readonly reason: string; readonly message: string; readonly waitMillis?: number }
  | { readonly status: "refused"; readonly reason: string; readonly message: string; readonly divisible: boolean };

/**
 * Sends one request at a time or several at once and holds none of them afterwards.
 *
 * - Resolves within the timeout or soon after the signal aborts, whatever the other side does; never rejects.
 * - Reads at most `MAX_ANSWER_BYTES` of an answer and follows no redirect.
 */
export interface OtlpSender {
  send(request: OtlpRequest, signal: AbortSignal): Promise<SendOutcome>;
  /** Drops its connections. */
  close(): void;
}

export interface OtlpSenderOptions {
  /** Base address, such as `https://collector:4318`. */
  readonly endpoint: URL;
  /** Secrets, as a rule: never part of a message. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one attempt, from the connection to the last byte of the answer. */
  readonly timeoutMillis: number;
  /** PEM authorities. Default: those of Node and of the system. */
  readonly ca?: readonly string[];
}

/** What OTLP recommends as the limit of an answer. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
