import type { IntakeOutcome, Refusal, RefusalReason } from "./intake-outcome.ts";
import { exportResponse, partialResponse, statusBody, statusWithRetryInfo } from "./otlp-response-body.ts";
import type { OtlpEncoding, OtlpSignal } from "./otlp-request.ts";

/** An HTTP answer as data. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A gRPC answer as data: a message, or a status without one. */
export type GrpcReply =
  | { readonly message: Uint8Array }
  | {
      /** gRPC status code, never 0. */
      readonly code: number;
      readonly text: string;
      /** `google.rpc.Status` for the trailer `grpc-status-details-bin`. */
      readonly details?: Uint8Array;
    };

/** How to answer: the signal of the path and the encoding of the request. */
export interface ReplyForm {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
}

interface WireStatus {
  readonly http: number;
  readonly grpc: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Only reasons that have it invite a retry. */
  readonly retryAfterSeconds?: number;
}

/**
 * The one table of what goes on the wire. OTLP senders retry HTTP 429, 502, 503, 504 and gRPC UNAVAILABLE,
 * DEADLINE_EXCEEDED and, with RetryInfo only, RESOURCE_EXHAUSTED; everything else they drop. So what may succeed later
 * must be among these and what never will must not.
 */
const WIRE: Readonly<Record<RefusalReason, WireStatus>> = {
  unknown_path: { http: 404, grpc: 12 },
  wrong_method: { http: 405, grpc: 12, headers: { allow: "POST" } },
  unsupported_type: { http: 415, grpc: 3 },
  unsupported_compression: { http: 415, grpc: 12, headers: { "accept-encoding": "gzip, identity" } },
  unauthenticated: { http: 401, grpc: 16, headers: { "www-authenticate": "Bearer" } },
  forbidden: { http: 403, grpc: 7 },
  rate_limited: { http: 429, grpc: 8, retryAfterSeconds: 1 },
  not_decodable: { http: 400, grpc: 3 },
  too_large: { http: 413, grpc: 8 },
  too_slow: { http: 408, grpc: 4 },
  overloaded: { http: 503, grpc: 14, retryAfterSeconds: 1 },
  // A defect of ours is not the sender's loss: 503 keeps the batch with the sender.
  failed: { http: 503, grpc: 14, retryAfterSeconds: 5 },
  retryable: { http: 503, grpc: 14, retryAfterSeconds: 1 },
  permanent: { http: 400, grpc: 3 },
};

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

export function httpReplyFrom(outcome: IntakeOutcome, { signal, encoding }: ReplyForm): HttpReply {
  if ("refused" in outcome) return replyToRefusal(outcome, encoding);
  const body = isWhole(outcome) ? exportResponse(encoding) : partialResponse(encoding, signal, outcome);
  return { status: 200, headers: { "content-type": CONTENT_TYPES[encoding] }, body };
}

/** A refusal is answered in the request's encoding, or in JSON where the request has none we know. */
export function replyToRefusal(refusal: Refusal, encoding: OtlpEncoding = "json"): HttpReply {
  const { http, grpc, headers } = WIRE[refusal.refused];
  const seconds = retryAfterOf(refusal);
  // Whole seconds and never 0: that is what the header can say.
  const retryAfter = seconds === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(seconds))) };
  return {
    status: http,
    headers: { "content-type": CONTENT_TYPES[encoding], ...headers, ...retryAfter },
    body: statusBody(encoding, grpc, refusal.message),
  };
}

export function grpcReplyFrom(outcome: IntakeOutcome, signal: OtlpSignal): GrpcReply {
  if (!("refused" in outcome)) {
    return { message: isWhole(outcome) ? exportResponse("protobuf") : partialResponse("protobuf", signal, outcome) };
  }
  const code = WIRE[outcome.refused].grpc;
  const text = outcome.message;
  const seconds = retryAfterOf(outcome);
  return { code, text, ...(seconds !== undefined && { details: statusWithRetryInfo(code, text, seconds) }) };
}

const isWhole = (taken: { readonly rejected: number; readonly message: string }): boolean =>
  taken.rejected === 0 && taken.message === "";

const retryAfterOf = ({ refused, retryAfterSeconds }: Refusal): number | undefined => {
  const own = WIRE[refused].retryAfterSeconds;
  return own === undefined ? undefined : (retryAfterSeconds ?? own);
};
