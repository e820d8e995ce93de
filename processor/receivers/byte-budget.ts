/** Shared allowance of bytes held in memory. */
export interface ByteBudget {
  /** A new, empty share. Close it when its bytes are no longer referenced. */
  open(): ByteShare;
  readonly usedBytes: number;
}

export interface ByteShare {
  /** Takes bytes; `false`, and nothing taken, when the whole budget has not that many left. */
  take(bytes: number): boolean;
  /** Gives back all this share took. Safe to call twice. */
  close(): void;
}

/** A budget of `maxBytes`. Shares take as bytes arrive, so a client that only announces a large body holds nothing. */
export function createByteBudget(maxBytes: number): ByteBudget {
  let usedBytes = 0;
  return {
    open() {
      let taken = 0;
      return {
        take(bytes) {
          if (usedBytes + bytes > maxBytes) return false;
          usedBytes += bytes;
          taken += bytes;
          return true;
        },
        close() {
          usedBytes -= taken;
          taken = 0;
        },
      };
    },
    get usedBytes() {
      return usedBytes;
    },
  };
}
