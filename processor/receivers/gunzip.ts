import { createGunzip, gunzipSync } from "node:zlib";
import { joinedIn } from "./body-bytes.ts";
import type { ByteShare } from "./byte-budget.ts";

export type GunzipResult =
  | { readonly status: "complete"; readonly bytes: Uint8Array }
  | { readonly status: "too_large" }
  | { readonly status: "no_memory" }
  | { readonly status: "broken"; readonly detail: string };

/** Every chunk is a trip to a thread: 64 MiB take 450 ms in chunks of 16 KiB and 50 ms in these (measured). */
const DISCARDED_CHUNK_BYTES = 256 * 1024;
const MIN_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;
const TRAILER_BYTES = 4;

/**
 * Decompresses `body` in chunks and stops at the first byte over `maxBytes`.
 *
 * A body whose trailer cannot be true, or announces more than that, is first inflated without keeping a byte: it can
 * only be too large, broken or made of several members, and which of these decides what the sender is told. So an
 * honest bomb costs no memory, and one whose trailer lies well costs at most `maxBytes`, charged to `share`.
 */
export async function gunzipCapped(body: Uint8Array, maxBytes: number, share: ByteShare): Promise<GunzipResult> {
  const announced = announcedBytes(body);
  const small = smallPlain(body, announced);
  if (small !== undefined && small.length <= maxBytes) {
    return share.take(small.length) ? { status: "complete", bytes: small } : { status: "no_memory" };
  }
  if (announced > maxBytes || announced < fewestBytes(body)) {
    const tried = await inflate(body, { maxBytes, chunkSize: DISCARDED_CHUNK_BYTES });
    if (tried.status !== "complete") return tried;
    if (announced > maxBytes) return { status: "broken", detail: "bytes after the end" };
  }
  // One byte more than announced, so that an honest body is one chunk and is seen to end in it.
  const wanted = Math.max(announced + 1, body.length, MIN_CHUNK_BYTES);
  return inflate(body, { maxBytes, chunkSize: Math.min(wanted, MAX_CHUNK_BYTES), share });
}

/** Up to here inflating takes less than a millisecond, and two trips to a thread that may be busy take longer. */
const MAX_SMALL_BYTES = 256 * 1024;

/** What a small body that keeps its word holds; `undefined` for any other, which is then looked at more closely. */
function smallPlain(body: Uint8Array, announced: number): Uint8Array | undefined {
  if (announced === 0 || announced > MAX_SMALL_BYTES || body.length > MAX_SMALL_BYTES) return undefined;
  try {
    return gunzipSync(body, { maxOutputLength: announced, chunkSize: Math.max(announced, MIN_CHUNK_BYTES) });
  } catch {
    return undefined;
  }
}

interface Inflation {
  readonly maxBytes: number;
  readonly chunkSize: number;
  /** Without it, nothing is kept. */
  readonly share?: ByteShare;
}

async function inflate(body: Uint8Array, { maxBytes, chunkSize, share }: Inflation): Promise<GunzipResult> {
  const gunzip = createGunzip({ chunkSize });
  const chunks: Buffer[] = [];
  let length = 0;
  gunzip.end(body);
  try {
    // Leaving the loop early destroys the stream.
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) return { status: "too_large" };
      if (share === undefined) continue;
      if (!share.take(chunk.length)) return { status: "no_memory" };
      chunks.push(chunk);
    }
  } catch (error) {
    return { status: "broken", detail: error instanceof Error ? error.message : String(error) };
  }
  if (share === undefined) return { status: "complete", bytes: new Uint8Array() };
  return { status: "complete", bytes: joinedIn(share, chunks, length) };
}

/** Size of the last gzip member, from its trailer (RFC 1952: ISIZE, modulo 4 GiB). Nothing vouches for it. */
function announcedBytes(body: Uint8Array): number {
  if (body.length < TRAILER_BYTES) return 0;
  return new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(body.length - TRAILER_BYTES, true);
}

/** What one member of this size holds at least: deflate makes no text longer by more than headers and 1 in 1,000. */
const fewestBytes = ({ length }: Uint8Array): number => Math.floor(length * 0.99) - 1024;
