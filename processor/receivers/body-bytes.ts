import type { ByteShare } from "./byte-budget.ts";

/** From here on a body is written into one piece of memory as it comes, so that it is never held twice. */
const LARGE_BYTES = 1024 * 1024;

/** Collects the bytes of one body. Memory for what is announced is taken when a part of it has really come. */
export class BodyBytes {
  length = 0;
  readonly #announced: number;
  readonly #share: Pick<ByteShare, "lend">;
  #chunks: Buffer[] = [];
  #whole: Buffer | undefined;
  #filled = 0;

  /** `announced`: the whole length, where the sender says it. */
  constructor(announced: number | undefined, share: Pick<ByteShare, "lend">) {
    this.#announced = announced ?? 0;
    this.#share = share;
  }

  add(chunk: Buffer): void {
    if (this.#whole === undefined && this.length >= LARGE_BYTES && this.#announced > this.length) this.#join();
    // What follows a chunk that found no room finds none either, however small: it would come before it.
    const fits = this.#chunks.length === 0 && this.#filled + chunk.length <= (this.#whole?.length ?? 0);
    if (this.#whole === undefined || !fits) this.#chunks.push(chunk);
    else this.#filled += chunk.copy(this.#whole, this.#filled);
    this.length += chunk.length;
  }

  /** Valid until the share is closed. */
  joined(): Buffer {
    const begun = this.#whole?.subarray(0, this.#filled);
    const pieces = begun === undefined ? this.#chunks : [begun, ...this.#chunks];
    return joinedIn(this.#share, pieces, this.length);
  }

  #join(): void {
    this.#whole = this.#share.lend(this.#announced);
    for (const chunk of this.#chunks) this.#filled += chunk.copy(this.#whole, this.#filled);
    this.#chunks = [];
  }
}

/** The pieces as one, in memory of the share where there is more than one. */
export function joinedIn(share: Pick<ByteShare, "lend">, pieces: readonly Buffer[], length: number): Buffer {
  if (pieces.length === 1) return pieces[0]!;
  const whole = share.lend(length);
  let filled = 0;
  for (const piece of pieces) filled += piece.copy(whole, filled);
  return whole;
}
