import type { DecodeErrorCode, OtlpDecodeError, RowBatch } from "../otlp/index.ts";
import { rejectedCount } from "../otlp/index.ts";
import type { ConsumeOutcome } from "../outcome.ts";
import type { OtlpEncoding, OtlpSignal, Refusal, RefusalReason } from "./otlp-request.ts";
import { exportResponse, partialResponse, statusBody } from "./otlp-response-body.ts";

/** An HTTP answer as data. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How to answer: the signal of the path and the encoding of the request. */
export interface ReplyForm {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
}

interface WireStatus {
  readonly http: number;
  /** gRPC code of the `google.rpc.Status` body. */
  readonly grpc: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The one table of what goes on the wire. OTLP senders retry 429, 502, 503 and 504 and drop everything else, so what
 * may succeed later must be 503 and what never will must not be.
 */
const WIRE: Readonly<Record<RefusalReason | "retryable" | "permanent", WireStatus>> = {
  unknown_path: { http: 404, grpc: 12 },
  wrong_method: { http: 405, grpc: 12, headers: { allow: "POST" } },
  unsupported_type: { http: 415, grpc: 3 },
  unsupported_compression: { http: 415, grpc: 3, headers: { "accept-encoding": "gzip, identity" } },
  not_decodable: { http: 400, grpc: 3 },
  too_large: { http: 413, grpc: 8 },
  overloaded: { http: 503, grpc: 14, headers: { "retry-after": "1" } },
  // A defect of ours is not the sender's loss: 503 keeps the batch with the sender.
  failed: { http: 503, grpc: 14, headers: { "retry-after": "5" } },
  retryable: { http: 503, grpc: 14, headers: { "retry-after": "1" } },
  permanent: { http: 400, grpc: 3 },
};

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** A refusal is answered in the request's encoding, or in JSON where the request has none we know. */
export function replyToRefusal(refusal: Refusal, encoding: OtlpEncoding = "json"): HttpReply {
  return failureReply(WIRE[refusal.refused], refusal.message, encoding);
}

const REFUSED_DECODING: Readonly<Record<DecodeErrorCode, RefusalReason>> = {
  malformed: "not_decodable",
  too_deep: "not_decodable",
  too_many: "too_large",
};
const DECODING_ADVICE: Readonly<Record<DecodeErrorCode, string>> = {
  malformed: "Check that the body is what Content-Type and the path say.",
  too_deep: "Send deeply nested values as JSON text.",
  too_many: "Send smaller batches.",
};

export function refusalFromDecodeError(error: OtlpDecodeError): Refusal {
  return { refused: REFUSED_DECODING[error.code], message: `${error.message}. ${DECODING_ADVICE[error.code]}` };
}

/** Answer for a decoded request: what the consumer did with its rows, and the records that never became rows. */
export function replyToOutcome(
  outcome: ConsumeOutcome,
  batch: Pick<RowBatch<unknown>, "rejections">,
  form: ReplyForm,
): HttpReply {
  switch (outcome.status) {
    case "accepted":
      return successReply(rejectedCount(batch), rejectionMessages(batch), form);
    case "partial": {
      const messages = [...rejectionMessages(batch), outcome.message];
      return successReply(rejectedCount(batch) + outcome.rejected, messages, form);
    }
    case "retryable": {
      const seconds = outcome.retryAfterSeconds;
      const headers = seconds === undefined ? undefined : { "retry-after": String(Math.max(1, Math.ceil(seconds))) };
      return failureReply({ ...WIRE.retryable, ...(headers && { headers }) }, outcome.message, form.encoding);
    }
    case "permanent":
      return failureReply(WIRE.permanent, outcome.message, form.encoding);
  }
}

function rejectionMessages({ rejections }: Pick<RowBatch<unknown>, "rejections">): string[] {
  return [...rejections].map(([reason, records]) => `${records} rejected: ${reason}`);
}

function successReply(rejected: number, messages: readonly string[], { signal, encoding }: ReplyForm): HttpReply {
  const body =
    rejected === 0 && messages.length === 0
      ? exportResponse(encoding)
      : partialResponse(encoding, signal, { rejected, message: messages.join("; ") });
  return { status: 200, headers: { "content-type": CONTENT_TYPES[encoding] }, body };
}

function failureReply(wire: WireStatus, message: string, encoding: OtlpEncoding): HttpReply {
  return {
    status: wire.http,
    headers: { "content-type": CONTENT_TYPES[encoding], ...wire.headers },
    body: statusBody(encoding, wire.grpc, message),
  };
}
