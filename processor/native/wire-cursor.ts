import type { ByteSource } from "./growable-bytes.ts";

const MAX_FIELD_NUMBER = 536_870_911;

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_FIXED32 = 5;

/**
 * Leaves the fast path. It says nothing about the bytes: whoever catches it asks the decoder, which names the fault or
 * knows the rare case. One instance for all, because a stack trace for each costs more than the slow path.
 */
export class LeaveFastPath extends Error {
  override readonly name = "LeaveFastPath";
}

const LEAVE = new LeaveFastPath("the fast path does not know this body");

export function leaveFastPath(): never {
  // oxlint-disable-next-line no-throw-literal
  throw LEAVE;
}

/**
 * Position in a protobuf body. As strict as `ProtobufReader`, but made to be read from by hand: a message is the range
 * from `pos` to an end the caller holds, tags come whole (`field << 3 | wire type`), and every fault is `LeaveFastPath`.
 */
export class WireCursor implements ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  pos = 0;
  /** What the decoder's `NodeBudget` would have counted so far. */
  nodes = 0;

  constructor(body: Uint8Array) {
    // A plain Uint8Array: parts of a Buffer are Buffers, which cost twice as much to make.
    this.bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  }

  /** Tag of the field at `pos`, which must be before `end`. */
  tag(end: number): number {
    const first = this.bytes[this.pos]!;
    if (first < 0x80 && first > 7) {
      this.pos++;
      return first;
    }
    return this.#longTag(end);
  }

  /** Reads a length and returns the position where what it measures ends. */
  lengthEnd(end: number): number {
    if (this.pos >= end) leaveFastPath();
    let length = this.bytes[this.pos]!;
    if (length < 0x80) this.pos++;
    else {
      // Two bytes are the rule for texts; the second may lie past the end.
      const second = this.bytes[this.pos + 1]!;
      if (second < 0x80 && this.pos + 1 < end) {
        length = (length & 0x7f) | (second << 7);
        this.pos += 2;
      } else length = this.#long(end);
    }
    const inner = this.pos + length;
    return inner > end ? leaveFastPath() : inner;
  }

  /** Passes over a varint and returns its low 32 bits, signed. */
  varint(end: number): number {
    let low = 0;
    for (let index = 0; index < 10; index++) {
      if (this.pos >= end) leaveFastPath();
      const byte = this.bytes[this.pos++]!;
      if (index < 5) low |= (byte & 0x7f) << (index * 7);
      if (byte < 0x80) return index === 9 && byte > 1 ? leaveFastPath() : low;
    }
    return leaveFastPath();
  }

  /** Position of a field of `size` bytes, which is passed over. */
  fixed(size: number, end: number): number {
    const start = this.pos;
    if (start + size > end) leaveFastPath();
    this.pos = start + size;
    return start;
  }

  /** Passes over the value of the field with this tag, whatever it is. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case WIRE_VARINT:
        this.varint(end);
        return;
      case WIRE_FIXED64:
        this.fixed(8, end);
        return;
      case WIRE_LENGTH:
        this.pos = this.lengthEnd(end);
        return;
      case WIRE_FIXED32:
        this.fixed(4, end);
        return;
      default:
        leaveFastPath();
    }
  }

  #longTag(end: number): number {
    const tag = this.#long(end);
    const field = Math.floor(tag / 8);
    return field === 0 || field > MAX_FIELD_NUMBER ? leaveFastPath() : tag;
  }

  /** A varint as a number; exact where it matters: anything from 2^32 on is a fault to the callers. */
  #long(end: number): number {
    let value = 0;
    let scale = 1;
    const start = this.pos;
    this.varint(end);
    for (let at = start; at < this.pos; at++) {
      value += (this.bytes[at]! & 0x7f) * scale;
      scale *= 128;
    }
    return value > 0xffff_ffff ? leaveFastPath() : value;
  }
}
