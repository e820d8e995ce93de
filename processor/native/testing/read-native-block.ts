/** Reads a Native block back into rows, as far as our tables need it: an oracle that shares no code with the writer. */
export function readNativeBlock(pieces: readonly Uint8Array[]): Record<string, unknown>[] {
  const reader = new BlockReader(Buffer.concat(pieces));
  const columns = reader.varint();
  const rows = reader.varint();
  const byName = Array.from({ length: columns }, () => {
    const name = reader.text();
    const type = reader.text();
    return [name, rows === 0 ? [] : reader.column(type, rows)] as const;
  });
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(byName.map(([name, values]) => [name, values[row]])),
  );
}

class BlockReader {
  readonly #bytes: Buffer;
  #pos = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#pos++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const size = this.varint();
    this.#pos += size;
    return this.#bytes.toString("utf8", this.#pos - size, this.#pos);
  }

  column(type: string, rows: number): unknown[] {
    this.#prefix(type);
    return this.#values(type, rows);
  }

  #uint64(): bigint {
    this.#pos += 8;
    return this.#bytes.readBigUInt64LE(this.#pos - 8);
  }

  /** The version of the keys, of every LowCardinality in the type. */
  #prefix(type: string): void {
    for (let count = type.split("LowCardinality").length - 1; count > 0; count--) {
      if (this.#uint64() !== 1n) throw new Error(`unknown version of the keys of ${type}`);
    }
  }

  #values(type: string, rows: number): unknown[] {
    const inner = /^\w+\((.*)\)$/.exec(type)?.[1] ?? "";
    if (type.startsWith("Array(")) return this.#cut(rows, (items) => this.#values(inner, items));
    if (type.startsWith("Map(")) return this.#maps(rows);
    if (type.startsWith("LowCardinality(")) return this.#lowCardinality(rows);
    const readers: Record<string, () => unknown> = {
      String: () => this.text(),
      UInt8: () => this.#bytes[this.#pos++]!,
      UInt64: () => String(this.#uint64()),
      "DateTime64(9)": () => String(this.#uint64()),
    };
    return Array.from({ length: rows }, readers[type]!);
  }

  #cut<Item>(rows: number, read: (items: number) => Item[]): Item[][] {
    const ends = Array.from({ length: rows }, () => Number(this.#uint64()));
    const items = read(ends.at(-1) ?? 0);
    return ends.map((end, row) => items.slice(ends[row - 1] ?? 0, end));
  }

  /** Maps as lists of entries: their order is stored too. */
  #maps(rows: number): unknown[] {
    return this.#cut(rows, (entries) => {
      const keys = this.#lowCardinality(entries);
      return keys.map((key) => [key, this.text()]);
    });
  }

  #lowCardinality(rows: number): string[] {
    if (rows === 0) return [];
    const width = 1 << Number(this.#uint64() & 0xffn);
    const texts = Array.from({ length: Number(this.#uint64()) }, () => this.text());
    if (Number(this.#uint64()) !== rows) throw new Error("as many indexes as rows");
    return Array.from({ length: rows }, () => {
      this.#pos += width;
      return texts[this.#bytes.readUIntLE(this.#pos - width, width)]!;
    });
  }
}
