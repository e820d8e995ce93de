import type { Attributes } from "./exported-span.ts";
import type { ProtobufBuffer } from "./protobuf-buffer.ts";

/** Longest value, in letters, and most names that are remembered. */
const MAX_REMEMBERED = 512;

interface LastPair {
  value: string;
  /** Once the same value came twice: most values come once, or always. */
  bytes: Uint8Array | undefined;
}

/** Writes attributes of OTLP. Most of a span's have the value they had on the span before, and are copied as bytes. */
export class AttributeEncoder {
  readonly #buffer: ProtobufBuffer;
  readonly #lastPairs = new Map<string, LastPair>();

  constructor(buffer: ProtobufBuffer) {
    this.#buffer = buffer;
  }

  /** `tag`: number and wire type of the field that holds them. */
  write(tag: number, attributes: Attributes): void {
    for (const name in attributes) {
      if (!Object.hasOwn(attributes, name)) continue;
      const value = attributes[name];
      this.#buffer.byte(tag);
      if (typeof value === "string" && value.length <= MAX_REMEMBERED) this.#textPair(name, value);
      else this.#pair(name, value);
    }
  }

  #textPair(name: string, value: string): void {
    const buffer = this.#buffer;
    const last = this.#lastPairs.get(name);
    if (last !== undefined && last.value === value) {
      if (last.bytes !== undefined) return buffer.bytes(last.bytes);
      const start = buffer.at;
      this.#pair(name, value);
      last.bytes = buffer.since(start);
      return undefined;
    }
    this.#pair(name, value);
    if (last === undefined) {
      if (this.#lastPairs.size < MAX_REMEMBERED) this.#lastPairs.set(name, { value, bytes: undefined });
    } else {
      last.value = value;
      last.bytes = undefined;
    }
    return undefined;
  }

  #pair(name: string, value: unknown): void {
    const buffer = this.#buffer;
    const pair = buffer.open();
    buffer.byte(0x0a);
    buffer.text(name);
    buffer.byte(0x12);
    const start = buffer.open();
    this.#value(value);
    buffer.close(start);
    buffer.close(pair);
  }

  #value(value: unknown): void {
    const buffer = this.#buffer;
    if (typeof value === "string") {
      buffer.byte(0x0a);
      buffer.text(value);
    } else if (typeof value === "boolean") {
      buffer.byte(0x10);
      buffer.varint(value ? 1 : 0);
    } else if (typeof value === "number") this.#number(value);
    else if (typeof value === "object" && value !== null) this.#structure(value);
  }

  #number(value: number): void {
    const isInteger = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
    this.#buffer.byte(isInteger ? 0x18 : 0x21);
    if (isInteger) this.#buffer.integer(value);
    else this.#buffer.double(value);
  }

  #structure(value: object): void {
    const buffer = this.#buffer;
    if (value instanceof Uint8Array) {
      buffer.byte(0x3a);
      buffer.varint(value.length);
      return buffer.bytes(value);
    }
    buffer.byte(Array.isArray(value) ? 0x2a : 0x32);
    buffer.message(() => {
      if (!Array.isArray(value)) return this.write(0x0a, value as Attributes);
      for (const item of value as readonly unknown[]) {
        buffer.byte(0x0a);
        buffer.message(() => this.#value(item));
      }
    });
  }
}
