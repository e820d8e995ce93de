import type { IncomingHttpHeaders } from "node:http2";
import type { Refusal } from "./intake-outcome.ts";
import type { OtlpSignal } from "./otlp-request.ts";

/** What the header of a gRPC request says, once it is one the receiver takes. */
export interface GrpcRequestHead {
  readonly signal: OtlpSignal;
  /** `grpc-encoding` is gzip; each message says whether it is compressed. */
  readonly gzip: boolean;
  /** Time the client gives the whole call. */
  readonly timeoutMillis: number | undefined;
}

/** A request that is not gRPC, answered as HTTP. */
export interface NotGrpc {
  readonly httpStatus: 405 | 415;
}

const METHODS: ReadonlyMap<string, OtlpSignal> = new Map([
  ["/opentelemetry.proto.collector.trace.v1.TraceService/Export", "traces"],
  ["/opentelemetry.proto.collector.logs.v1.LogsService/Export", "logs"],
]);

/** Whether a request speaks gRPC at all, which decides in what form it is answered. */
export function notGrpc(headers: IncomingHttpHeaders): NotGrpc | undefined {
  const contentType = headers["content-type"] ?? "";
  if (!/^application\/grpc(\+proto)?\s*(;|$)/i.test(contentType)) return { httpStatus: 415 };
  return headers[":method"] === "POST" ? undefined : { httpStatus: 405 };
}

/** Decides by the header alone, before any of the message is read. */
export function readGrpcHead(headers: IncomingHttpHeaders): GrpcRequestHead | Refusal {
  const signal = METHODS.get(headers[":path"] ?? "");
  if (signal === undefined) {
    return {
      refused: "unknown_path",
      message: "This receiver has TraceService/Export and LogsService/Export of OTLP.",
    };
  }
  const encoding = headers["grpc-encoding"] ?? "identity";
  if (encoding !== "gzip" && encoding !== "identity") {
    return { refused: "unsupported_compression", message: "Send messages plain or compressed with gzip." };
  }
  const timeout = headers["grpc-timeout"];
  if (timeout === undefined) return { signal, gzip: encoding === "gzip", timeoutMillis: undefined };
  const timeoutMillis = millisFrom(String(timeout));
  if (timeoutMillis === undefined) return { refused: "not_decodable", message: "grpc-timeout is not a timeout." };
  return { signal, gzip: encoding === "gzip", timeoutMillis };
}

const UNIT_MILLIS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

function millisFrom(timeout: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(timeout);
  return match === null ? undefined : Number(match[1]) * UNIT_MILLIS[match[2]!]!;
}
