import type { AttributeMap } from "../clickhouse/rows.ts";
import { MAX_ATTRIBUTE_KEY_LENGTH } from "../otlp/limits.ts";
import { type ByteSource, GrowableBytes } from "./growable-bytes.ts";
import { LowCardinalityColumn } from "./low-cardinality-column.ts";
import { StringColumn } from "./string-column.ts";

/** Powers of two. A map with more keys goes on in the places of the next form. */
const FORMS = 128;
const PLACES = 32;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/**
 * Native `Map(LowCardinality(String), String)`: end offsets, all keys, all values.
 *
 * Per map: `begin()`, for each entry `key()` and then one append to `values`, `end()`.
 */
export class MapColumn {
  readonly offsets = new GrowableBytes();
  readonly keys = new LowCardinalityColumn();
  readonly values = new StringColumn();
  /** Number of the map that last used a key, per key id: finds equal keys without a set per map. */
  #lastUse = new Uint32Array(256);
  #map = 0;
  /** Key ids by form and place, as they were the last time: most maps repeat the keys of one seen before. */
  readonly #expected = new Int32Array(FORMS * PLACES);
  #place = 0;
  // The same objects without the way through the columns, for the innermost loop.
  readonly #dictionary = this.keys.dictionary;
  readonly #ids = this.keys.ids;

  /** `form` is any number that tends to be the same for maps with the same keys in the same order. */
  begin(form: number): void {
    this.#map++;
    this.#place = (form & (FORMS - 1)) * PLACES;
  }

  /**
   * Appends a key and returns its id; -1, appending nothing, when only the slow path knows what to do: a second value
   * for a key, a key that is no UTF-8 or over its limit, and one that starts with a digit, because JavaScript moves
   * whole numbers to the front of an object.
   */
  key(source: ByteSource, start: number, end: number): number {
    const first = source.bytes[start]!;
    if (end - start > MAX_ATTRIBUTE_KEY_LENGTH || (start < end && first >= DIGIT_0 && first <= DIGIT_9)) return -1;
    const id = this.#idOf(source, start, end);
    if (id < 0 || !this.#isFirstUse(id)) return -1;
    this.#ids.appendUint32(id);
    return id;
  }

  /** Appends a key by its id; `false`, appending nothing, when the map has it already. */
  knownKey(id: number): boolean {
    if (!this.#isFirstUse(id)) return false;
    this.#ids.appendUint32(id);
    return true;
  }

  #idOf(source: ByteSource, start: number, end: number): number {
    const dictionary = this.#dictionary;
    const place = this.#place++ & (FORMS * PLACES - 1);
    const expected = this.#expected[place]!;
    if (dictionary.isTextOf(expected, source, start, end)) return expected;
    const id = dictionary.idOf(source, start, end);
    if (id >= 0) this.#expected[place] = id;
    return id;
  }

  end(): void {
    this.offsets.appendUint64(this.keys.ids.length / 4);
  }

  appendMap(map: AttributeMap): void {
    this.begin(0);
    for (const key in map) {
      this.keys.appendText(key);
      this.values.appendText(map[key]!);
    }
    this.end();
  }

  reset(): void {
    this.offsets.reset();
    this.keys.reset();
    this.values.data.reset();
    this.#lastUse.fill(0);
    this.#map = 0;
  }

  #isFirstUse(id: number): boolean {
    if (id >= this.#lastUse.length) this.#growLastUse(id);
    if (this.#lastUse[id] === this.#map) return false;
    this.#lastUse[id] = this.#map;
    return true;
  }

  #growLastUse(id: number): void {
    const grown = new Uint32Array(Math.max(id + 1, this.#lastUse.length * 2));
    grown.set(this.#lastUse);
    this.#lastUse = grown;
  }
}
