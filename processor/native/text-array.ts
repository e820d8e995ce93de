import { NODES_PER_ATTRIBUTE } from "../otlp/node-budget.ts";
import type { StringColumn } from "./string-column.ts";
import type { WireCursor } from "./wire-cursor.ts";

const ITEM_TAG = 0x0a;
const STRING_TAG = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** So the length of the whole is one byte. */
const MAX_JSON_BYTES = 127;

/**
 * The `ArrayValue` from `cursor.pos` to `end` as JSON, when it is short and holds only texts that JSON need not escape:
 * by far the most frequent array (`["stop"]`). Of another array it appends nothing and returns `false`.
 */
export function writeTextArray(cursor: WireCursor, end: number, values: StringColumn): boolean {
  const { data } = values;
  const { length } = data;
  if (end - cursor.pos > MAX_JSON_BYTES - 2) return false;
  data.reserve(MAX_JSON_BYTES + 1);
  data.bytes[length] = 0;
  data.bytes[length + 1] = OPEN;
  data.length = length + 2;
  const items = appendItems(cursor, end, values);
  if (items < 0) {
    data.length = length;
    return false;
  }
  // Each item ended with a comma.
  if (items > 0) data.length--;
  data.bytes[data.length++] = CLOSE;
  data.bytes[length] = data.length - length - 1;
  cursor.nodes += items * NODES_PER_ATTRIBUTE;
  return true;
}

/** Returns the number of items; -1 when one of them is not a plain text. An item is never longer here than there. */
function appendItems(cursor: WireCursor, end: number, { data }: StringColumn): number {
  const { bytes } = cursor;
  let items = 0;
  let { pos } = cursor;
  while (pos < end) {
    // Item tag, item length, text tag, text length: all single bytes.
    const size = pos + 4 <= end ? bytes[pos + 3]! : -1;
    const textEnd = pos + 4 + size;
    if (size < 0 || bytes[pos] !== ITEM_TAG || bytes[pos + 1] !== size + 2 || bytes[pos + 2] !== STRING_TAG) return -1;
    if (textEnd > end) return -1;
    data.bytes[data.length++] = QUOTE;
    for (pos += 4; pos < textEnd; pos++) {
      const byte = bytes[pos]!;
      if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) return -1;
      data.bytes[data.length++] = byte;
    }
    data.bytes[data.length++] = QUOTE;
    data.bytes[data.length++] = COMMA;
    items++;
  }
  return items;
}
