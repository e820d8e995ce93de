import { isUtf8 } from "node:buffer";

/** Bytes with a view over exactly them. A read past the end throws a RangeError. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function byteSource(bytes: Uint8Array): ByteSource {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

const FIRST_CAPACITY = 1_024;
/** A buffer that grew beyond this in one block is given back at `reset()`. */
const MAX_KEPT_CAPACITY = 64 * 1_024 * 1_024;
/** Up to here four bytes at a time beat a call into the runtime (about 100 ns with the view it needs). */
const MAX_WORD_COPY = 160;
const HIGH_BITS = 0x8080_8080 | 0;

/**
 * The one kind of memory under all columns: append only, cut back to a mark by setting `length`.
 *
 * At least eight bytes behind `length` are allocated after every `reserve`, so words may be written past the end.
 */
export class GrowableBytes implements ByteSource {
  bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
  length = 0;

  reserve(size: number): void {
    if (this.length + size + 8 > this.bytes.length) this.#grow(size);
  }

  reset(): void {
    this.length = 0;
    if (this.bytes.length > MAX_KEPT_CAPACITY) this.#allocate(FIRST_CAPACITY);
  }

  /** What was appended; valid until the next append. */
  taken(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  appendByte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  appendUint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** `value` is a whole number from 0 to 2^53. */
  appendUint64(value: number): void {
    this.reserve(8);
    this.view.setUint32(this.length, value >>> 0, true);
    this.view.setUint32(this.length + 4, Math.floor(value / 4_294_967_296), true);
    this.length += 8;
  }

  appendBigUint64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.length, value, true);
    this.length += 8;
  }

  /** LEB128, as protobuf and Native both write lengths. */
  appendVarint(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  appendBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends what another buffer holds. */
  appendAll(from: GrowableBytes): void {
    const { length } = from;
    this.reserve(length);
    if (length > MAX_WORD_COPY) this.bytes.set(from.taken(), this.length);
    else this.#copyWords(from.view, 0, length);
    this.length += length;
  }

  /** Appends a text that is UTF-8. Of anything else it appends nothing and returns `false`. */
  appendUtf8(source: ByteSource, start: number, end: number): boolean {
    const size = end - start;
    this.reserve(size);
    if (size > MAX_WORD_COPY || end + 4 > source.bytes.length) return this.#copyUtf8(source.bytes.subarray(start, end));
    const bits = this.#copyWords(source.view, start, size);
    if ((bits & HIGH_BITS) !== 0 && !isUtf8(source.bytes.subarray(start, end))) return false;
    this.length += size;
    return true;
  }

  /** A text shorter than 128 bytes with its length before it, as `appendUtf8`. */
  appendShortUtf8(source: ByteSource, start: number, end: number): boolean {
    const size = end - start;
    this.reserve(size + 1);
    const at = this.length;
    this.bytes[at] = size;
    this.length = at + 1;
    if (end + 4 > source.bytes.length) {
      if (this.#copyUtf8(source.bytes.subarray(start, end))) return true;
    } else {
      const bits = this.#copyWords(source.view, start, size);
      if ((bits & HIGH_BITS) === 0 || isUtf8(source.bytes.subarray(start, end))) {
        this.length += size;
        return true;
      }
    }
    this.length = at;
    return false;
  }

  /** Returns the copied words ORed together; the bits behind the end count as zero. */
  #copyWords(from: DataView, start: number, size: number): number {
    const { view, length } = this;
    const whole = size & ~3;
    let bits = 0;
    for (let at = 0; at < whole; at += 4) {
      const word = from.getInt32(start + at, true);
      bits |= word;
      view.setInt32(length + at, word, true);
    }
    if (whole === size) return bits;
    const word = from.getInt32(start + whole, true);
    view.setInt32(length + whole, word, true);
    return bits | (word & ((1 << ((size - whole) * 8)) - 1));
  }

  #copyUtf8(text: Uint8Array): boolean {
    if (!isUtf8(text)) return false;
    this.bytes.set(text, this.length);
    this.length += text.length;
    return true;
  }

  #grow(size: number): void {
    const old = this.bytes;
    this.#allocate(Math.max(old.length * 2, this.length + size + 8));
    this.bytes.set(old.subarray(0, this.length));
  }

  #allocate(capacity: number): void {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.bytes.buffer);
  }
}
