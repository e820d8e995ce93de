const MAX_ENTRIES = 16;
const MAX_CONTENT_BYTES = 65_536;

interface Entry<Value> {
  readonly content: Uint8Array;
  readonly value: Value;
}

/** Remembers what the last few contents became: a sender repeats its resource and scopes in every request. */
export class ContentCache<Value> {
  readonly #entries: Entry<Value>[] = [];
  readonly #make: (content: Uint8Array) => Value;
  #next = 0;

  constructor(make: (content: Uint8Array) => Value) {
    this.#make = make;
  }

  get(content: Uint8Array): Value {
    for (const entry of this.#entries) {
      if (entry.content.length === content.length && Buffer.compare(entry.content, content) === 0) return entry.value;
    }
    const value = this.#make(content);
    if (content.length <= MAX_CONTENT_BYTES) {
      // The content is a view into a body that goes away.
      this.#entries[this.#next] = { content: Buffer.from(content), value };
      this.#next = (this.#next + 1) % MAX_ENTRIES;
    }
    return value;
  }
}
