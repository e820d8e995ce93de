/** Why a request is not taken. `otlp-status.ts` says what each is on the wire. */
export type RefusalReason =
  | "unknown_path"
  | "wrong_method"
  | "unsupported_type"
  | "unsupported_compression"
  | "unauthenticated"
  | "forbidden"
  | "rate_limited"
  | "not_decodable"
  | "too_large"
  | "too_slow"
  | "overloaded"
  | "failed"
  /** The consumer's `retryable` and `permanent`. */
  | "retryable"
  | "permanent";

/** A request that is not taken: why, and a message that says what to do. */
export interface Refusal {
  readonly refused: RefusalReason;
  readonly message: string;
  /** When to come back; only for reasons that are worth a retry. Default: the reason's own. */
  readonly retryAfterSeconds?: number;
}

/** A request that is taken, but for `rejected` of its records. */
export interface Taken {
  /** A retry would not help these. */
  readonly rejected: number;
  /** Why, or a warning; `''` for none. */
  readonly message: string;
}

export type IntakeOutcome = Taken | Refusal;

/** Answer while the bodies in memory fill the budget. */
export const NO_MEMORY: Refusal = {
  refused: "overloaded",
  message: "The receiver holds as many requests as it may; send again in a second.",
};

export const FAILED: Refusal = { refused: "failed", message: "The receiver failed; send again later." };

export function tooLarge(maxBytes: number, when: "as sent" | "after decompression"): Refusal {
  return { refused: "too_large", message: `The body may have ${maxBytes} bytes ${when}; send smaller batches.` };
}
