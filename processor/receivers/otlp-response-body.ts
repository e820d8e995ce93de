import { lengthField, textField, varintField } from "../otlp/protobuf-writer.ts";
import type { OtlpEncoding, OtlpSignal } from "./otlp-request.ts";

/** Bodies of OTLP answers, in both encodings. */

const EMPTY = new Uint8Array();
const REJECTED_FIELD: Readonly<Record<OtlpSignal, string>> = {
  traces: "rejectedSpans",
  logs: "rejectedLogRecords",
};

/** `Export…ServiceResponse` without `partial_success`: everything was taken. */
export function exportResponse(encoding: OtlpEncoding): Uint8Array {
  return encoding === "json" ? Buffer.from("{}") : EMPTY;
}

/** `Export…ServiceResponse` with `partial_success`; both signals have the same field numbers. */
export function partialResponse(
  encoding: OtlpEncoding,
  signal: OtlpSignal,
  partial: { readonly rejected: number; readonly message: string },
): Uint8Array {
  if (encoding === "json") {
    const partialSuccess = { [REJECTED_FIELD[signal]]: String(partial.rejected), errorMessage: partial.message };
    return Buffer.from(JSON.stringify({ partialSuccess }));
  }
  return lengthField(1, varintField(1, partial.rejected), textField(2, partial.message));
}

/** `google.rpc.Status`. `code` is a gRPC status code. */
export function statusBody(encoding: OtlpEncoding, code: number, message: string): Uint8Array {
  if (encoding === "json") return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.concat([varintField(1, code), textField(2, message)]);
}

const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";
const NANOS_PER_SECOND = 1_000_000_000;

/** Protobuf `google.rpc.Status` with one `google.rpc.RetryInfo` in its details. */
export function statusWithRetryInfo(code: number, message: string, seconds: number): Uint8Array {
  const whole = Math.floor(seconds);
  const nanos = Math.floor((seconds - whole) * NANOS_PER_SECOND);
  const retryInfo = lengthField(1, varintField(1, whole), varintField(2, nanos));
  const any = [textField(1, RETRY_INFO_TYPE), lengthField(2, retryInfo)];
  return Buffer.concat([statusBody("protobuf", code, message), lengthField(3, ...any)]);
}
