import { createGunzip } from "node:zlib";
import type { ByteShare } from "./byte-budget.ts";

export type GunzipResult =
  | { readonly status: "complete"; readonly bytes: Uint8Array }
  | { readonly status: "too_large" }
  | { readonly status: "no_memory" }
  | { readonly status: "broken"; readonly detail: string };

const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;
/** Agent telemetry shrinks about threefold. */
const EXPECTED_RATIO = 4;
const TRAILER_BYTES = 4;

/**
 * Decompresses `body` in chunks and stops at the first byte over `maxBytes`.
 *
 * A body whose trailer announces more than that is inflated without keeping a byte: it can only be too large or broken,
 * and which of the two decides whether the sender is told to send less. So an honest bomb costs no memory, and one
 * whose trailer lies costs at most `maxBytes`, charged to `share`.
 */
export async function gunzipCapped(body: Uint8Array, maxBytes: number, share: ByteShare): Promise<GunzipResult> {
  const keep = announcedBytes(body) <= maxBytes;
  const expected = keep ? body.length * EXPECTED_RATIO : 0;
  const chunkSize = Math.min(Math.max(expected, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
  const gunzip = createGunzip({ chunkSize });
  const chunks: Buffer[] = [];
  let length = 0;
  gunzip.end(body);
  try {
    // Leaving the loop early destroys the stream.
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) return { status: "too_large" };
      if (!keep) continue;
      if (!share.take(chunk.length)) return { status: "no_memory" };
      chunks.push(chunk);
    }
  } catch (error) {
    return { status: "broken", detail: error instanceof Error ? error.message : String(error) };
  }
  if (!keep) return { status: "broken", detail: "bytes after the end" };
  return { status: "complete", bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length) };
}

/** Size of the last gzip member, from its trailer (RFC 1952: ISIZE, modulo 4 GiB). Nothing vouches for it. */
function announcedBytes(body: Uint8Array): number {
  if (body.length < TRAILER_BYTES) return 0;
  return new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(body.length - TRAILER_BYTES, true);
}
