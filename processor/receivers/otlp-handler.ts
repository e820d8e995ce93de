import type { IncomingHttpHeaders } from "node:http";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import type { Consumer } from "../consumer.ts";
import { decodeLogsJson, decodeLogsProtobuf, decodeTracesJson, decodeTracesProtobuf } from "../otlp/index.ts";
import { logRowsFrom, OtlpDecodeError, type RowBatch, spanRowsFrom } from "../otlp/index.ts";
import { ACCEPTED } from "../outcome.ts";
import type { ByteBudget, ByteShare } from "./byte-budget.ts";
import { gunzipCapped } from "./gunzip.ts";
import { encodingOf, type OtlpRequestHead, readRequestHead, type Refusal } from "./otlp-request.ts";
import { type HttpReply, refusalFromDecodeError, replyToOutcome, replyToRefusal } from "./otlp-status.ts";
import type { ReceiverLimits } from "./receiver-limits.ts";

export interface OtlpConsumers {
  readonly traces: Consumer<SpanRow>;
  readonly logs: Consumer<LogRow>;
}

export interface OtlpHandlerOptions extends OtlpConsumers {
  readonly limits: Pick<ReceiverLimits, "maxCompressedBytes" | "maxBodyBytes">;
  readonly budget: ByteBudget;
  /** Told of defects: a consumer that rejects, a decoder that throws what it must not. The sender is told to retry. */
  readonly onUnexpectedError: (error: unknown) => void;
}

/** A whole request, as it came. */
export interface OtlpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** OTLP/HTTP without the socket. Neither method throws. */
export interface OtlpHandler {
  /** Answers a request of which everything is known. */
  handle(request: OtlpRequest): Promise<HttpReply>;
  /** Answers a request whose head was taken. `share` is charged for what decompression adds; the caller closes it. */
  handleBody(head: OtlpRequestHead, body: Uint8Array, share: ByteShare): Promise<HttpReply>;
}

export function createOtlpHandler(options: OtlpHandlerOptions): OtlpHandler {
  const handleBody = async (head: OtlpRequestHead, body: Uint8Array, share: ByteShare): Promise<HttpReply> => {
    try {
      const plain = await plainBody({ head, body, share }, options.limits);
      return plain instanceof Uint8Array ? await consume(head, plain, options) : replyToRefusal(plain, head.encoding);
    } catch (error) {
      if (error instanceof OtlpDecodeError) return replyToRefusal(refusalFromDecodeError(error), head.encoding);
      options.onUnexpectedError(error);
      return replyToRefusal({ refused: "failed", message: "The receiver failed; send again later." }, head.encoding);
    }
  };
  return {
    handleBody,
    async handle({ method, url, headers, body }) {
      const head = readRequestHead(method, url, headers);
      if ("refused" in head) return replyToRefusal(head, encodingOf(headers));
      const share = options.budget.open();
      try {
        return share.take(body.length) ? await handleBody(head, body, share) : replyToRefusal(NO_MEMORY, head.encoding);
      } finally {
        share.close();
      }
    },
  };
}

/** Answer while the bodies in memory fill the budget. */
export const NO_MEMORY: Refusal = {
  refused: "overloaded",
  message: "The receiver holds as many requests as it may; send again in a second.",
};

/** Largest body to read off the wire for a request. */
export function wireLimit(
  head: Pick<OtlpRequestHead, "compressed">,
  limits: Pick<ReceiverLimits, "maxCompressedBytes" | "maxBodyBytes">,
): number {
  return head.compressed ? limits.maxCompressedBytes : limits.maxBodyBytes;
}

export function tooLarge(maxBytes: number, when: "as sent" | "after decompression"): Refusal {
  return { refused: "too_large", message: `The body may have ${maxBytes} bytes ${when}; send smaller batches.` };
}

interface ReceivedBody {
  readonly head: OtlpRequestHead;
  readonly body: Uint8Array;
  readonly share: ByteShare;
}

async function plainBody(
  { head, body, share }: ReceivedBody,
  limits: OtlpHandlerOptions["limits"],
): Promise<Uint8Array | Refusal> {
  if (body.length > wireLimit(head, limits)) return tooLarge(wireLimit(head, limits), "as sent");
  if (!head.compressed) return body;
  const result = await gunzipCapped(body, limits.maxBodyBytes, share);
  switch (result.status) {
    case "complete":
      return result.bytes;
    case "too_large":
      return tooLarge(limits.maxBodyBytes, "after decompression");
    case "no_memory":
      return NO_MEMORY;
    case "broken":
      return { refused: "not_decodable", message: `The body is not valid gzip (${result.detail}).` };
  }
}

async function consume(head: OtlpRequestHead, body: Uint8Array, consumers: OtlpConsumers): Promise<HttpReply> {
  if (head.signal === "traces") {
    const traces = head.encoding === "json" ? decodeTracesJson(body) : decodeTracesProtobuf(body);
    return consumeBatch(head, spanRowsFrom(traces), consumers.traces);
  }
  const logs = head.encoding === "json" ? decodeLogsJson(body) : decodeLogsProtobuf(body);
  return consumeBatch(head, logRowsFrom(logs), consumers.logs);
}

async function consumeBatch<Row>(
  head: OtlpRequestHead,
  batch: RowBatch<Row>,
  consumer: Consumer<Row>,
): Promise<HttpReply> {
  const outcome = batch.rows.length === 0 ? ACCEPTED : await consumer.consume(batch.rows);
  return replyToOutcome(outcome, batch, head);
}
