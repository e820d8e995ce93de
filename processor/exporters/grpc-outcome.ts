import { answerText } from "./answer-text.ts";
import { partialSuccessFrom, rpcStatusFrom } from "./export-answer.ts";
import type { SendOutcome } from "./otlp-sender.ts";

export interface GrpcAnswer {
  readonly code: number;
  readonly text: string;
  /** The response message; `undefined` without one. */
  readonly message: Uint8Array | undefined;
  /** `grpc-status-details-bin`. */
  readonly details: Uint8Array | undefined;
}

/** Names of status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html), by number. */
const NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** https://opentelemetry.io/docs/specs/otlp/#failures: these, and RESOURCE_EXHAUSTED when it comes with RetryInfo. */
const RETRYABLE: ReadonlySet<string> = new Set([
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNAVAILABLE",
  "DATA_LOSS",
]);
/** The answer is about what the message holds, or how much: a message over the limit is RESOURCE_EXHAUSTED. */
const ABOUT_THE_MESSAGE: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"]);

export function outcomeFromGrpc({ code, text, message, details }: GrpcAnswer): SendOutcome {
  if (code === 0) {
    const partial = partialSuccessFrom(message ?? new Uint8Array());
    return { status: "sent", rejected: partial.rejected, message: answerText(partial.message) };
  }
  const name = NAMES[code] ?? `STATUS_${code}`;
  const reason = `grpc_${name.toLowerCase()}`;
  const said = `${name} ${answerText(text)}`.trim();
  const waitMillis = details === undefined ? undefined : rpcStatusFrom(details)?.retryMillis;
  if (RETRYABLE.has(name) || (name === "RESOURCE_EXHAUSTED" && waitMillis !== undefined)) {
    return { status: "retryable", reason, message: said, ...(waitMillis !== undefined && { waitMillis }) };
  }
  return { status: "refused", reason, message: said, divisible: ABOUT_THE_MESSAGE.has(name) };
}
