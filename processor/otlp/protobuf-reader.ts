import { OtlpDecodeError } from "./decode-error.ts";
import { NodeBudget } from "./node-budget.ts";

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_FIXED32 = 5;
const WIRE_NAMES = ["varint", "fixed64", "length-delimited", "group start", "group end", "fixed32"];
const MAX_FIELD_NUMBER = 536_870_911;

/**
 * Reads the protobuf wire format of one body, forward only (https://protobuf.dev/programming-guides/encoding/).
 *
 * Use: `while (reader.nextField()) switch (reader.field) { case 1: x = reader.string(); break; default: reader.skip(); }`.
 * A read method checks the wire type of the current field, so a body of another message type is refused early.
 * Every failure is an `OtlpDecodeError` with the byte offset. Groups are refused: OTLP has none, and skipping them recurses.
 */
export class ProtobufReader {
  /** Number of the current field. */
  field = 0;
  readonly nodes = new NodeBudget();
  #wireType = 0;
  #pos = 0;
  #end: number;
  // A varint of 64 bits as two halves: no allocation, exact.
  #low = 0;
  #high = 0;
  readonly #bytes: Buffer;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  /** Moves to the next field of the current message; `false` at its end. */
  nextField(): boolean {
    if (this.#pos === this.#end) return false;
    const start = this.#pos;
    this.#varint();
    this.field = this.#low >>> 3;
    this.#wireType = this.#low & 7;
    if (this.#high !== 0 || this.field === 0 || this.field > MAX_FIELD_NUMBER) {
      throw new OtlpDecodeError("malformed", "invalid protobuf field number", { byteOffset: start });
    }
    return true;
  }

  /** Enters the embedded message of the current field. Give the returned end to `leave()`. */
  enter(): number {
    const outerEnd = this.#end;
    const length = this.#length();
    this.#end = this.#pos + length;
    return outerEnd;
  }

  /** Leaves an embedded message that was read to its end. */
  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  string(): string {
    return this.stringOr("", Infinity);
  }

  /** The text, or `instead` when it has more than `maxBytes` bytes: then none is made of them. */
  stringOr(instead: string, maxBytes: number): string {
    const length = this.#length();
    const start = this.#pos;
    this.#pos += length;
    return length > maxBytes ? instead : this.#bytes.toString("utf8", start, this.#pos);
  }

  /** A view into the body, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    const start = this.#pos;
    this.#pos += length;
    return this.#bytes.subarray(start, this.#pos);
  }

  /** Bytes as lower-case hex text. */
  hex(): string {
    const length = this.#length();
    const start = this.#pos;
    this.#pos += length;
    return this.#bytes.toString("hex", start, this.#pos);
  }

  bool(): boolean {
    this.#expect(WIRE_VARINT);
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  /** `int32` and enums; like every protobuf reader, higher bits are dropped. */
  int32(): number {
    this.#expect(WIRE_VARINT);
    this.#varint();
    return this.#low | 0;
  }

  int64(): bigint {
    this.#expect(WIRE_VARINT);
    this.#varint();
    if (this.#high === 0) return BigInt(this.#low);
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low));
  }

  fixed32(): number {
    return this.#view.getUint32(this.#fixed(WIRE_FIXED32, 4), true);
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#fixed(WIRE_FIXED64, 8), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#fixed(WIRE_FIXED64, 8), true);
  }

  /** Passes over the current field, which must be of this wire type. */
  pass(wireType: number): void {
    this.#expect(wireType);
    this.skip();
  }

  /** Passes over the current field, whatever it holds. */
  skip(): void {
    switch (this.#wireType) {
      case WIRE_VARINT:
        this.#varint();
        return;
      case WIRE_FIXED64:
        this.#fixed(WIRE_FIXED64, 8);
        return;
      case WIRE_LENGTH: {
        const length = this.#length();
        this.#pos += length;
        return;
      }
      case WIRE_FIXED32:
        this.#fixed(WIRE_FIXED32, 4);
        return;
      default:
        throw new OtlpDecodeError("malformed", `field ${this.field} has ${this.#wireName()}`, {
          byteOffset: this.#pos,
        });
    }
  }

  #wireName(): string {
    return `wire type ${this.#wireType} (${WIRE_NAMES[this.#wireType] ?? "undefined"})`;
  }

  #expect(wireType: number): void {
    if (this.#wireType === wireType) return;
    const expected = WIRE_NAMES[wireType];
    throw new OtlpDecodeError("malformed", `field ${this.field} has ${this.#wireName()}, not ${expected}`, {
      byteOffset: this.#pos,
    });
  }

  #length(): number {
    this.#expect(WIRE_LENGTH);
    const start = this.#pos;
    this.#varint();
    if (this.#high !== 0 || this.#low > this.#end - this.#pos) {
      throw new OtlpDecodeError("malformed", `field ${this.field} is longer than its message`, { byteOffset: start });
    }
    return this.#low;
  }

  #fixed(wireType: number, size: number): number {
    this.#expect(wireType);
    const start = this.#pos;
    if (size > this.#end - start)
      throw new OtlpDecodeError("malformed", `field ${this.field} is cut short`, { byteOffset: start });
    this.#pos += size;
    return start;
  }

  #varint(): void {
    const start = this.#pos;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#pos === this.#end) throw new OtlpDecodeError("malformed", "varint is cut short", { byteOffset: start });
      const byte = this.#bytes[this.#pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else if (byte > 1) break;
      else high |= bits << 31;
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new OtlpDecodeError("malformed", "varint is longer than 64 bits", { byteOffset: start });
  }
}
