import type { IncomingMessage } from "node:http";
import type { ByteShare } from "./byte-budget.ts";

export type BodyResult =
  | { readonly status: "complete"; readonly bytes: Uint8Array }
  | { readonly status: "too_large" }
  | { readonly status: "no_memory" }
  /** The client went away or was too slow; there is nobody to answer. */
  | { readonly status: "aborted" };

/**
 * Reads a body of at most `maxBytes` into memory, charged to `share` chunk by chunk. After an early end the rest is
 * left to flow unread, so that the client can finish sending and see the answer.
 */
export function readBody(request: IncomingMessage, maxBytes: number, share: ByteShare): Promise<BodyResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (result: BodyResult): void => {
      request.off("data", onData).off("end", onEnd).off("close", onAbort);
      request.resume();
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) settle({ status: "too_large" });
      else if (!share.take(chunk.length)) settle({ status: "no_memory" });
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle({ status: "complete", bytes: Buffer.concat(chunks, length) });
    const onAbort = (): void => settle({ status: "aborted" });
    request.on("data", onData).on("end", onEnd).on("close", onAbort);
    // A reset connection reports an error besides `close`; unheard, it would end the process.
    request.on("error", onAbort);
  });
}
