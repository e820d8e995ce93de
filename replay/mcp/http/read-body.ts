import type { IncomingMessage } from "node:http";
import { parseJson } from "../../../instrumentation/json/json.ts";

export type BodyReading =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly status: 400 | 413; readonly reason: string };

/** Messages of a client are small: arguments of a tool. */
export const MAX_BODY_BYTES = 256 * 1024;

/** Reads a JSON body up to a bound. What is left of one that is too large is never read. Rejects when the client is gone. */
export async function readBody(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<BodyReading> {
  const tooLarge = { ok: false, status: 413, reason: `a body has at most ${maxBytes} bytes` } as const;
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) return tooLarge;
    chunks.push(chunk as Buffer);
  }
  const body = parseJson(Buffer.concat(chunks).toString("utf8"));
  return body === undefined ? { ok: false, status: 400, reason: "the body is not JSON" } : { ok: true, body };
}
