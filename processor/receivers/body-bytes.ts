/** From here on a body is written into one piece of memory as it comes, so that it is never held twice. */
const LARGE_BYTES = 1024 * 1024;

/** Collects the bytes of one body. Memory for what is announced is taken when a part of it has really come. */
export class BodyBytes {
  length = 0;
  readonly #announced: number;
  #chunks: Buffer[] = [];
  #whole: Buffer | undefined;
  #filled = 0;

  /** `announced`: the whole length, where the sender says it. */
  constructor(announced: number | undefined) {
    this.#announced = announced ?? 0;
  }

  add(chunk: Buffer): void {
    if (this.#whole === undefined && this.length >= LARGE_BYTES && this.#announced > this.length) this.#join();
    // What follows a chunk that found no room finds none either, however small: it would come before it.
    const fits = this.#chunks.length === 0 && this.#filled + chunk.length <= (this.#whole?.length ?? 0);
    if (this.#whole === undefined || !fits) this.#chunks.push(chunk);
    else this.#filled += chunk.copy(this.#whole, this.#filled);
    this.length += chunk.length;
  }

  joined(): Buffer {
    const begun = this.#whole?.subarray(0, this.#filled);
    const pieces = begun === undefined ? this.#chunks : [begun, ...this.#chunks];
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  #join(): void {
    this.#whole = Buffer.allocUnsafeSlow(this.#announced);
    for (const chunk of this.#chunks) this.#filled += chunk.copy(this.#whole, this.#filled);
    this.#chunks = [];
  }
}
