import { createBytePool } from "../byte-pool.ts";

/** Shared allowance of bytes held in memory. */
export interface ByteBudget {
  /** A new, empty share. Close it when its bytes are no longer referenced. */
  open(): ByteShare;
  readonly usedBytes: number;
}

export interface ByteShare {
  /** Takes bytes; `false`, and nothing taken, when the whole budget has not that many left. */
  take(bytes: number): boolean;
  /** Memory to put taken bytes together in, lent until the share is closed. */
  lend(bytes: number): Buffer<ArrayBuffer>;
  /** Gives back all this share took and was lent. Safe to call twice. */
  close(): void;
}

/** Idle memory for the next bodies. */
const MAX_IDLE_BYTES = 32 * 1024 * 1024;

/** A budget of `maxBytes`. Shares take as bytes arrive, so a client that only announces a large body holds nothing. */
export function createByteBudget(maxBytes: number): ByteBudget {
  let usedBytes = 0;
  const pool = createBytePool(Math.min(MAX_IDLE_BYTES, maxBytes / 4));
  return {
    open() {
      let taken = 0;
      let lent: Buffer[] = [];
      return {
        take(bytes) {
          if (usedBytes + bytes > maxBytes) return false;
          usedBytes += bytes;
          taken += bytes;
          return true;
        },
        lend(bytes) {
          const buffer = pool.take(bytes);
          lent.push(buffer);
          return buffer;
        },
        close() {
          usedBytes -= taken;
          taken = 0;
          for (const buffer of lent) pool.give(buffer);
          lent = [];
        },
      };
    },
    get usedBytes() {
      return usedBytes;
    },
  };
}
