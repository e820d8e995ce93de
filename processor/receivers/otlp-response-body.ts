import type { OtlpEncoding, OtlpSignal } from "./otlp-request.ts";

/** Bodies of OTLP answers, in both encodings. */

const EMPTY = new Uint8Array();
const CONTINUES = 0x80n;
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
  return textField(1, Buffer.concat([integerField(1, partial.rejected), textField(2, Buffer.from(partial.message))]));
}

/** `google.rpc.Status`. `code` is a gRPC status code. */
export function statusBody(encoding: OtlpEncoding, code: number, message: string): Uint8Array {
  if (encoding === "json") return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.concat([integerField(1, code), textField(2, Buffer.from(message))]);
}

const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";
const NANOS_PER_SECOND = 1_000_000_000;

/** Protobuf `google.rpc.Status` with one `google.rpc.RetryInfo` in its details. */
export function statusWithRetryInfo(code: number, message: string, seconds: number): Uint8Array {
  const whole = Math.floor(seconds);
  const nanos = Math.floor((seconds - whole) * NANOS_PER_SECOND);
  const delay = Buffer.concat([integerField(1, whole), integerField(2, nanos)]);
  const any = Buffer.concat([textField(1, Buffer.from(RETRY_INFO_TYPE)), textField(2, textField(1, delay))]);
  return Buffer.concat([statusBody("protobuf", code, message), textField(3, any)]);
}

const integerField = (field: number, value: number): Buffer => Buffer.from([field << 3, ...varint(value)]);

const textField = (field: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest >= CONTINUES) {
    bytes.push(Number((rest & 0x7fn) | CONTINUES));
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}
