import type { IncomingHttpHeaders } from "node:http";
import type { Refusal } from "./intake-outcome.ts";

export type OtlpSignal = "traces" | "logs";
export type OtlpEncoding = "protobuf" | "json";

/** What the header of an OTLP/HTTP request says, once it is one the receiver takes. */
export interface OtlpRequestHead {
  readonly signal: OtlpSignal;
  readonly encoding: OtlpEncoding;
  readonly compressed: boolean;
  /** `Content-Length`, `undefined` for chunked bodies. */
  readonly announcedBytes: number | undefined;
}

const SIGNAL_PATHS: ReadonlyMap<string, OtlpSignal> = new Map([
  ["/v1/traces", "traces"],
  ["/v1/logs", "logs"],
]);
const ENCODINGS: ReadonlyMap<string, OtlpEncoding> = new Map([
  ["application/x-protobuf", "protobuf"],
  ["application/json", "json"],
]);

/** Decides by the header alone whether a request is OTLP the receiver takes, before any of its body is read. */
export function readRequestHead(method: string, url: string, headers: IncomingHttpHeaders): OtlpRequestHead | Refusal {
  const signal = SIGNAL_PATHS.get(pathOf(url));
  if (signal === undefined) {
    return { refused: "unknown_path", message: "This receiver takes POST /v1/traces and POST /v1/logs only." };
  }
  if (method !== "POST") return { refused: "wrong_method", message: `Use POST for ${pathOf(url)}, not ${method}.` };
  const encoding = encodingOf(headers);
  if (encoding === undefined) {
    return {
      refused: "unsupported_type",
      message: "Set Content-Type to application/x-protobuf or application/json.",
    };
  }
  const compression = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (compression !== "gzip" && compression !== "identity") {
    return { refused: "unsupported_compression", message: "Send the body plain or compressed once with gzip." };
  }
  const length = headers["content-length"];
  return {
    signal,
    encoding,
    compressed: compression === "gzip",
    announcedBytes: length === undefined ? undefined : Number(length),
  };
}

/** The path without the query. */
export function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

/** The encoding of the request, in which also an error is answered; parameters such as `charset` do not matter. */
export function encodingOf(headers: IncomingHttpHeaders): OtlpEncoding | undefined {
  const mediaType = (headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
  return ENCODINGS.get(mediaType);
}
