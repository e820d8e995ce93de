/**
 * - `malformed`: not OTLP in the encoding it claims to be.
 * - `too_deep`: nested beyond what any exporter sends.
 * - `too_many`: well-formed as far as read, but a smaller batch is needed.
 */
export type DecodeErrorCode = "malformed" | "too_deep" | "too_many";

/** The only error the OTLP decoders throw, whatever the bytes are. */
export class OtlpDecodeError extends Error {
  override readonly name = "OtlpDecodeError";
  readonly code: DecodeErrorCode;
  /** Position in the decompressed body; `undefined` where only the field is known (OTLP/JSON after parsing). */
  readonly byteOffset: number | undefined;

  constructor(code: DecodeErrorCode, message: string, details: { byteOffset?: number; cause?: unknown } = {}) {
    const { byteOffset, cause } = details;
    super(byteOffset === undefined ? message : `${message} (at byte ${byteOffset})`, { cause });
    this.code = code;
    this.byteOffset = byteOffset;
  }
}
