import { ByteDictionary } from "./byte-dictionary.ts";
import { type ByteSource, GrowableBytes } from "./growable-bytes.ts";

/** Index type in the low byte; the dictionary of this block comes with it and replaces no other one. */
const HAS_ADDITIONAL_KEYS = 1 << 9;
const NEEDS_DICTIONARY_UPDATE = 1 << 10;
/** `SharedDictionariesWithAdditionalKeys`, the only serialization there is. */
const KEYS_VERSION = 1;

/** Native `LowCardinality(String)`: the distinct texts once, and an index per row. */
export class LowCardinalityColumn {
  readonly dictionary = new ByteDictionary();
  /** One 32-bit id per row; narrowed when the block is finished. */
  readonly ids = new GrowableBytes();

  /** Of bytes that are not UTF-8 it appends nothing and returns `false`. */
  append(source: ByteSource, start: number, end: number): boolean {
    const id = this.dictionary.idOf(source, start, end);
    if (id < 0) return false;
    this.ids.appendUint32(id);
    return true;
  }

  appendText(text: string): void {
    this.ids.appendUint32(this.dictionary.idOfText(text));
  }

  reset(): void {
    this.ids.reset();
    this.dictionary.reset();
  }
}

/** Comes before the column's other parts, also before the offsets of arrays around it. */
export function lowCardinalityPrefix(): Uint8Array {
  return uint64s(KEYS_VERSION);
}

/** The column's own part. A column without rows has none. */
export function lowCardinalityParts({ ids, dictionary }: LowCardinalityColumn): Uint8Array[] {
  const rows = ids.length / 4;
  if (rows === 0) return [];
  const wide = new Uint32Array(ids.bytes.buffer, 0, rows);
  const [indexType, indexes] = narrowed(wide, dictionary.size);
  const flags = indexType | HAS_ADDITIONAL_KEYS | NEEDS_DICTIONARY_UPDATE;
  return [uint64s(flags, dictionary.size), dictionary.texts.taken(), uint64s(rows), bytesOf(indexes)];
}

function narrowed(ids: Uint32Array, texts: number): [number, Uint8Array | Uint16Array | Uint32Array] {
  if (texts <= 0x1_00) return [0, new Uint8Array(ids)];
  return texts <= 0x1_00_00 ? [1, new Uint16Array(ids)] : [2, ids];
}

const bytesOf = (array: Uint8Array | Uint16Array | Uint32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function uint64s(...values: readonly number[]): Uint8Array {
  const bytes = new GrowableBytes();
  for (const value of values) bytes.appendUint64(value);
  return bytes.taken();
}
