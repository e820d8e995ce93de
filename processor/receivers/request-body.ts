import type { IncomingMessage } from "node:http";
import { BodyBytes } from "./body-bytes.ts";
import type { ByteShare } from "./byte-budget.ts";

export type BodyResult =
  | { readonly status: "complete"; readonly bytes: Uint8Array }
  | { readonly status: "too_large" }
  | { readonly status: "no_memory" }
  /** The client went away or was too slow; there is nobody to answer. */
  | { readonly status: "aborted" };

export interface BodyLimits {
  readonly maxBytes: number;
  /** What the header says of the length, if it does; at most `maxBytes`. */
  readonly announcedBytes: number | undefined;
  /** Charged chunk by chunk. */
  readonly share: ByteShare;
}

/**
 * Reads a body of at most `maxBytes` into memory. After an early end the rest is left to flow unread, so that the client
 * can finish sending and see the answer.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<BodyResult> {
  const { maxBytes, share } = limits;
  return new Promise((resolve) => {
    const bytes = new BodyBytes(limits.announcedBytes, share);
    const settle = (result: BodyResult): void => {
      request.off("data", onData).off("end", onEnd).off("close", onAbort);
      request.resume();
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      if (bytes.length + chunk.length > maxBytes) settle({ status: "too_large" });
      else if (!share.take(chunk.length)) settle({ status: "no_memory" });
      else bytes.add(chunk);
    };
    const onEnd = (): void => settle({ status: "complete", bytes: bytes.joined() });
    const onAbort = (): void => settle({ status: "aborted" });
    request.on("data", onData).on("end", onEnd).on("close", onAbort);
    // A reset connection reports an error besides `close`; unheard, it would end the process.
    request.on("error", onAbort);
  });
}
