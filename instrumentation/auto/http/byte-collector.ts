import { createHash, type Hash } from "node:crypto";

/** Bytes that all open exchanges of the process hold together. */
export interface ByteBudget {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createByteBudget(maxBytes: number): ByteBudget {
  let used = 0;
  return {
    take(bytes) {
      if (used + bytes > maxBytes) return false;
      used += bytes;
      return true;
    },
    give(bytes) {
      used -= bytes;
    },
  };
}

export interface CollectedChunk {
  readonly offsetMillis: number;
  readonly bytes: Buffer;
}

/** All of a body, or only what it was when it was too much to keep. */
export type CollectedBytes =
  | { readonly kept: true; readonly size: number; readonly chunks: readonly CollectedChunk[] }
  | { readonly kept: false; readonly size: number; readonly sha256: string };

/** Copies a body while it passes by. Beyond its limit or the budget it keeps a hash and forgets the bytes. */
export class ByteCollector {
  readonly #maxBytes: number;
  readonly #budget: ByteBudget;
  #chunks: CollectedChunk[] = [];
  #size = 0;
  #held = 0;
  #hash: Hash | undefined;

  constructor(maxBytes: number, budget: ByteBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  add(bytes: Uint8Array, offsetMillis: number): void {
    this.#size += bytes.byteLength;
    if (this.#hash !== undefined) this.#hash.update(bytes);
    else if (this.#size <= this.#maxBytes && this.#budget.take(bytes.byteLength)) {
      this.#held += bytes.byteLength;
      this.#chunks.push({ offsetMillis, bytes: Buffer.from(bytes) });
    } else {
      this.#hash = createHash("sha256");
      for (const chunk of this.#chunks) this.#hash.update(chunk.bytes);
      this.#hash.update(bytes);
      this.#forget();
    }
  }

  /** Ends the collection and gives the held bytes back to the budget. To be called once. */
  finish(): CollectedBytes {
    const chunks = this.#chunks;
    this.#forget();
    if (this.#hash === undefined) return { kept: true, size: this.#size, chunks };
    return { kept: false, size: this.#size, sha256: this.#hash.digest("hex") };
  }

  #forget(): void {
    this.#budget.give(this.#held);
    this.#held = 0;
    this.#chunks = [];
  }
}
