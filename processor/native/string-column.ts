import { type ByteSource, GrowableBytes } from "./growable-bytes.ts";

/** Two hex digits of each byte as one little-endian 16-bit word. */
const HEX_WORDS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const digits = byte.toString(16).padStart(2, "0");
  return digits.charCodeAt(0) | (digits.charCodeAt(1) << 8);
});

const DIGIT_0 = 0x30;

/** Native `String`: length and bytes, one after the other. */
export class StringColumn {
  readonly data = new GrowableBytes();

  /** Appends UTF-8 bytes; of anything else it appends nothing and returns `false`. */
  appendUtf8(source: ByteSource, start: number, end: number): boolean {
    const { data } = this;
    if (end - start < 0x80) return data.appendShortUtf8(source, start, end);
    const mark = data.length;
    data.appendVarint(end - start);
    if (data.appendUtf8(source, start, end)) return true;
    data.length = mark;
    return false;
  }

  appendText(text: string): void {
    const { data } = this;
    const size = Buffer.byteLength(text);
    data.appendVarint(size);
    data.reserve(size);
    data.bytes.write(text, data.length, size, "utf8");
    data.length += size;
  }

  /** A text of ASCII characters, shorter than 128. */
  appendShortAscii(text: string): void {
    const { data } = this;
    data.reserve(text.length + 1);
    data.bytes[data.length++] = text.length;
    for (let at = 0; at < text.length; at++) data.bytes[data.length++] = text.charCodeAt(at);
  }

  /** A whole number from 0 to 2^31 - 1, decimal. */
  appendInteger(value: number): void {
    const { data } = this;
    data.reserve(11);
    const { bytes } = data;
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    bytes[data.length] = digits;
    let rest = value;
    for (let at = data.length + digits; at > data.length; at--) {
      const tenth = Math.floor(rest / 10);
      bytes[at] = DIGIT_0 + rest - tenth * 10;
      rest = tenth;
    }
    data.length += digits + 1;
  }

  appendEmpty(): void {
    this.data.appendByte(0);
  }

  /** `size` bytes, fewer than 64, as lower-case hex. Returns whether any of them is not zero. */
  appendHex(source: ByteSource, start: number, size: number): boolean {
    const { data } = this;
    data.reserve(size * 2 + 1);
    data.bytes[data.length++] = size * 2;
    let bits = 0;
    for (let at = 0; at < size; at++) {
      const byte = source.bytes[start + at]!;
      bits |= byte;
      data.view.setUint16(data.length, HEX_WORDS[byte]!, true);
      data.length += 2;
    }
    return bits !== 0;
  }

  /** As `appendHex`, but all zeros become `''`, which is how a stored id says that it is absent. */
  appendHexOrEmpty(source: ByteSource, start: number, size: number): void {
    const mark = this.data.length;
    if (this.appendHex(source, start, size)) return;
    this.data.length = mark;
    this.appendEmpty();
  }
}
