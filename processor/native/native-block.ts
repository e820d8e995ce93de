import { GrowableBytes } from "./growable-bytes.ts";
import { type LowCardinalityColumn, lowCardinalityParts, lowCardinalityPrefix } from "./low-cardinality-column.ts";
import type { MapColumn } from "./map-column.ts";
import type { StringColumn } from "./string-column.ts";

/** One column of a block: its type, and its bytes in the order in which ClickHouse reads them. */
export interface NativeColumn {
  readonly type: string;
  /** State that comes before everything else, also before the offsets of arrays around the column. */
  readonly prefix?: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

/** One block of ClickHouse's Native format (as for HTTP and files, without block info), as pieces to send in order. */
export function nativeBlock(rows: number, columns: Readonly<Record<string, NativeColumn>>): Uint8Array[] {
  const entries = Object.entries(columns);
  const head = new GrowableBytes();
  head.appendVarint(entries.length);
  head.appendVarint(rows);
  const pieces = [head.taken()];
  for (const [name, { type, prefix, parts }] of entries) {
    const title = new GrowableBytes();
    for (const text of [name, type]) {
      title.appendVarint(Buffer.byteLength(text));
      title.appendBytes(Buffer.from(text));
    }
    // A column without rows has a title and nothing else.
    if (rows === 0) pieces.push(title.taken());
    else pieces.push(title.taken(), ...(prefix === undefined ? [] : [prefix]), ...parts);
  }
  return pieces.filter((piece) => piece.length > 0);
}

export const fixedColumn = (type: string, bytes: GrowableBytes): NativeColumn => ({ type, parts: [bytes.taken()] });

export const stringColumn = (column: StringColumn): NativeColumn => fixedColumn("String", column.data);

export const lowCardinalityColumn = (column: LowCardinalityColumn): NativeColumn => ({
  type: "LowCardinality(String)",
  prefix: lowCardinalityPrefix(),
  parts: lowCardinalityParts(column),
});

export const mapColumn = ({ offsets, keys, values }: MapColumn): NativeColumn => ({
  type: "Map(LowCardinality(String), String)",
  prefix: lowCardinalityPrefix(),
  parts: [offsets.taken(), ...lowCardinalityParts(keys), values.data.taken()],
});

/** `Array` of a column: the end offset of each row, then the items of all rows. */
export const arrayColumn = (offsets: GrowableBytes, items: NativeColumn): NativeColumn => ({
  ...items,
  type: `Array(${items.type})`,
  parts: [offsets.taken(), ...items.parts],
});
