/** Texts up to this length are written letter by letter: a call into native code costs more. */
const SHORT = 24;
const FIRST_SIZE = 65_536;
/** What is kept for the next message. */
const MAX_KEPT = 1_048_576;

/** A message of protobuf under way, in a buffer that serves one message after the other. */
export class ProtobufBuffer {
  #bytes = Buffer.allocUnsafe(FIRST_SIZE);
  #at = 0;

  get at(): number {
    return this.#at;
  }

  /** Begins anew. */
  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > MAX_KEPT) this.#bytes = Buffer.allocUnsafe(FIRST_SIZE);
  }

  /** A copy of what was written since `from`. */
  since(from: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, from, this.#at);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  /** Of a safe integer, zero or more. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  /** An integer as 64 bits; what is none loses its fraction. */
  integer(value: number): void {
    if (!Number.isInteger(value)) return this.varint(value >>> 0);
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return this.varint(value);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32LE(value >>> 0, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A time as 64 bits of nanoseconds; both halves stay within what a number holds exactly. */
  nanos([seconds, nanoseconds]: readonly [number, number]): void {
    const high = Math.floor(seconds / 65_536) * 1e9;
    const low = (seconds % 65_536) * 1e9 + nanoseconds + (high % 65_536) * 65_536;
    this.fixed32((low % 2 ** 32) >>> 0);
    this.fixed32(Math.floor(high / 65_536) + Math.floor(low / 2 ** 32));
  }

  /** Hex digits as bytes, their length before them. */
  hex(digits: string): void {
    const length = digits.length / 2;
    this.#reserve(length + 1);
    this.#bytes[this.#at++] = length;
    for (let i = 0; i < digits.length; i += 2) {
      this.#bytes[this.#at++] = (nibble(digits.charCodeAt(i)) << 4) | nibble(digits.charCodeAt(i + 1));
    }
  }

  /** UTF-8, its length before it. */
  text(text: string): void {
    if (text.length <= SHORT && this.#writeAscii(text)) return;
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.#reserve(length);
    this.#at += this.#bytes.write(text, this.#at, "utf8");
  }

  #writeAscii(text: string): boolean {
    this.#reserve(SHORT + 1);
    const start = this.#at;
    this.#bytes[this.#at++] = text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#at = start;
        return false;
      }
      this.#bytes[this.#at++] = code;
    }
    return true;
  }

  /** Writes a message whose length is known when it is there. */
  message(write: () => void): void {
    const start = this.open();
    write();
    this.close(start);
  }

  /** The same for what must cost no closure: gives what `close()` is to be told. */
  open(): number {
    this.#reserve(1);
    return this.#at++;
  }

  /** Puts the length before what was written since `open()`, and moves that where it takes more than a byte. */
  close(start: number): void {
    const length = this.#at - start - 1;
    let more = 0;
    for (let rest = length; rest > 0x7f; rest >>>= 7) more++;
    this.#reserve(more);
    if (more > 0) this.#bytes.copyWithin(start + 1 + more, start + 1, this.#at);
    this.#at = start;
    this.varint(length);
    this.#at += length;
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + size));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

const nibble = (code: number): number => (code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57);
