import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { byteSource, type ByteSource, GrowableBytes } from "./growable-bytes.ts";

const FIRST_SLOTS = 256;
const MULTIPLIER = 0x9e37_79b1;

/**
 * Distinct texts of a LowCardinality column, found by their bytes: no V8 string is made to look one up.
 * Ids count up from 0 in the order of first use. The hash is seeded per dictionary, so senders cannot aim at it.
 */
export class ByteDictionary {
  /** The texts as Native `String`s, in the order of their ids. */
  readonly texts = new GrowableBytes();
  size = 0;
  /** Changes when ids lose their meaning: at `reset()` and when a `cutTo()` removes some. */
  generation = 0;
  readonly #seed = randomBytes(4).readUInt32LE();
  #slots = new Int32Array(FIRST_SLOTS);
  /** Per id: start of its bytes in `texts`, size in bytes, hash. */
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];
  readonly #hashes: number[] = [];

  /** Id of a text; -1 when the bytes are not UTF-8, and then nothing is kept. */
  idOf(source: ByteSource, start: number, end: number): number {
    // Words are read past the end of the text.
    if (end + 4 > source.bytes.length) return this.#idOfCopy(source.bytes.subarray(start, end));
    const size = end - start;
    const hash = hashOf(source.view, start, size, this.#seed);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]! - 1;
      if (id < 0) return this.#add(source, start, size, hash);
      if (this.#hashes[id] === hash && this.#isText(id, source, start, size)) return id;
    }
  }

  /** Whether `id` is known and its text is this one: cheaper than `idOf` when the caller can guess. */
  isTextOf(id: number, source: ByteSource, start: number, end: number): boolean {
    return id < this.size && end + 4 <= source.bytes.length && this.#isText(id, source, start, end - start);
  }

  idOfText(text: string): number {
    return this.#idOfCopy(Buffer.from(text));
  }

  reset(): void {
    this.cutTo(0);
    this.texts.reset();
    this.#slots = new Int32Array(FIRST_SLOTS);
  }

  /** Forgets the texts from id `size` on. */
  cutTo(size: number): void {
    if (size === this.size) return;
    this.generation++;
    this.texts.length = this.#endOf(size - 1);
    this.size = size;
    for (const list of [this.#starts, this.#sizes, this.#hashes]) list.length = size;
    this.#fillSlots(this.#slots.length);
  }

  #endOf(id: number): number {
    return id < 0 ? 0 : this.#starts[id]! + this.#sizes[id]!;
  }

  #idOfCopy(text: Uint8Array): number {
    const padded = Buffer.alloc(text.length + 4);
    padded.set(text);
    return this.idOf(byteSource(padded), 0, text.length);
  }

  #isText(id: number, source: ByteSource, start: number, size: number): boolean {
    if (this.#sizes[id] !== size) return false;
    const from = this.#starts[id]!;
    const own = this.texts.view;
    const { view } = source;
    if (size < 8) return isShortEqual(own, from, view, start, size);
    // Eight bytes at a time; the last eight may overlap the ones before.
    const last = size - 8;
    for (let at = 0; at < last; at += 8) if (differs(own, from + at, view, start + at)) return false;
    return !differs(own, from + last, view, start + last);
  }

  #add(source: ByteSource, start: number, size: number, hash: number): number {
    const text = source.bytes.subarray(start, start + size);
    if (!isUtf8(text)) return -1;
    const id = this.size++;
    this.texts.appendVarint(size);
    this.#starts.push(this.texts.length);
    this.texts.appendBytes(text);
    this.#sizes.push(size);
    this.#hashes.push(hash);
    this.#fillSlots(this.size * 2 > this.#slots.length ? this.#slots.length * 2 : this.#slots.length, id);
    return id;
  }

  /** Enters the ids from `first` on, or all of them when the table changes its size or loses some. */
  #fillSlots(slots: number, first = 0): void {
    let from = first;
    if (slots !== this.#slots.length || first === 0) {
      this.#slots = new Int32Array(slots);
      from = 0;
    }
    const mask = slots - 1;
    for (let id = from; id < this.size; id++) {
      let slot = this.#hashes[id]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = id + 1;
    }
  }
}

/** Whether the eight bytes differ. */
const differs = (a: DataView, atA: number, b: DataView, atB: number): boolean =>
  ((a.getInt32(atA, true) ^ b.getInt32(atB, true)) | (a.getInt32(atA + 4, true) ^ b.getInt32(atB + 4, true))) !== 0;

// oxlint-disable-next-line max-params
function isShortEqual(a: DataView, atA: number, b: DataView, atB: number, size: number): boolean {
  for (let at = 0; at < size; at++) if (a.getUint8(atA + at) !== b.getUint8(atB + at)) return false;
  return true;
}

/** Reads whole words, up to three bytes past the text. */
function hashOf(view: DataView, start: number, size: number, seed: number): number {
  const whole = size & ~3;
  let hash = seed ^ size;
  for (let at = 0; at < whole; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(start + at, true), MULTIPLIER);
    hash ^= hash >>> 15;
  }
  if (whole !== size) {
    const rest = view.getInt32(start + whole, true) & ((1 << ((size - whole) * 8)) - 1);
    hash = Math.imul(hash ^ rest, MULTIPLIER);
    hash ^= hash >>> 13;
  }
  return hash;
}
