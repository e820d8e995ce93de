import type { ServerHttp2Stream } from "node:http2";
import { BodyBytes } from "./body-bytes.ts";
import type { ByteShare } from "./byte-budget.ts";
import { NO_MEMORY, type Refusal, tooLarge } from "./intake-outcome.ts";
import { wireLimit } from "./otlp-intake.ts";
import type { ReceiverLimits } from "./receiver-limits.ts";

/** One message of a unary call, as it came. */
export interface GrpcMessage {
  readonly compressed: boolean;
  readonly bytes: Uint8Array;
}

/** Length-prefixed message: 1 byte compressed flag, 4 bytes length, big endian. */
const PREFIX_BYTES = 5;

/**
 * Collects the one message of a unary request and refuses as early as it can: a length over the limit before a byte of
 * the message has come.
 */
export class GrpcMessageAssembler {
  readonly #gzip: boolean;
  readonly #limits: Pick<ReceiverLimits, "maxCompressedBytes" | "maxBodyBytes">;
  readonly #share: ByteShare;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixLength = 0;
  #bytes: BodyBytes;
  #missing = 0;

  constructor(gzip: boolean, limits: Pick<ReceiverLimits, "maxCompressedBytes" | "maxBodyBytes">, share: ByteShare) {
    this.#gzip = gzip;
    this.#limits = limits;
    this.#share = share;
    this.#bytes = new BodyBytes(undefined, share);
  }

  /** Takes what came next; a refusal ends it. */
  add(data: Buffer): Refusal | undefined {
    let rest = data;
    if (this.#prefixLength < PREFIX_BYTES) {
      const copied = rest.copy(this.#prefix, this.#prefixLength);
      this.#prefixLength += copied;
      if (this.#prefixLength < PREFIX_BYTES) return undefined;
      const refusal = this.#readPrefix();
      if (refusal !== undefined) return refusal;
      rest = rest.subarray(copied);
    }
    if (rest.length > this.#missing) return malformed("more than one message came, or bytes after it");
    if (rest.length === 0) return undefined;
    if (!this.#share.take(rest.length)) return NO_MEMORY;
    this.#missing -= rest.length;
    this.#bytes.add(rest);
    return undefined;
  }

  /** The message, once the client has sent everything. */
  end(): GrpcMessage | Refusal {
    if (this.#prefixLength < PREFIX_BYTES) return malformed("no message came");
    if (this.#missing > 0) return malformed("the message is cut short");
    return { compressed: this.#prefix[0] === 1, bytes: this.#bytes.joined() };
  }

  #readPrefix(): Refusal | undefined {
    const flag = this.#prefix[0]!;
    if (flag > 1) return malformed("the compressed flag is neither 0 nor 1");
    if (flag === 1 && !this.#gzip) return malformed("the message is compressed and grpc-encoding does not say how");
    this.#missing = this.#prefix.readUInt32BE(1);
    this.#bytes = new BodyBytes(this.#missing, this.#share);
    const maxBytes = wireLimit(flag === 1, this.#limits);
    return this.#missing > maxBytes ? tooLarge(maxBytes, "as sent") : undefined;
  }
}

const malformed = (what: string): Refusal => ({
  refused: "not_decodable",
  message: `This is not a gRPC call: ${what}.`,
});

/** Reads the message of a stream; `undefined` when the client is gone. What comes after a refusal is left to flow. */
export function readGrpcMessage(
  stream: ServerHttp2Stream,
  assembler: GrpcMessageAssembler,
): Promise<GrpcMessage | Refusal | undefined> {
  return new Promise((resolve) => {
    const settle = (result: GrpcMessage | Refusal | undefined): void => {
      stream.off("data", onData).off("end", onEnd).off("close", onClose);
      resolve(result);
    };
    const onData = (data: Buffer): void => {
      const refusal = assembler.add(data);
      if (refusal !== undefined) settle(refusal);
    };
    const onEnd = (): void => settle(assembler.end());
    const onClose = (): void => settle(undefined);
    stream.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}
