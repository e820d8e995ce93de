import { MAX_ANY_VALUE_DEPTH } from "../otlp/limits.ts";
import { NODES_PER_ATTRIBUTE } from "../otlp/node-budget.ts";
import { leaveFastPath, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, type WireCursor } from "./wire-cursor.ts";

/**
 * The structure of attributes, without output: what the decoder would refuse leaves the fast path, the rest is passed
 * over and its nodes are counted. `cursor.pos` ends at the end of the message.
 */

const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const STRING_TAG = 0x0a;

/** `KeyValue` from `cursor.pos` to `end`. Returns whether it has the usual form: key and value, once and in order. */
export function checkKeyValue(cursor: WireCursor, end: number, depth: number): boolean {
  cursor.nodes += NODES_PER_ATTRIBUTE;
  const start = cursor.pos;
  if (passKeyBeforeValue(cursor, end)) {
    checkAnyValue(cursor, end, depth);
    return true;
  }
  cursor.pos = start;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 2) checkAnyValue(cursor, innerEnd(cursor, tag, end), depth);
    else if (field === 1) cursor.pos = innerEnd(cursor, tag, end);
    else cursor.skip(tag, end);
  }
  return false;
}

/** To the first byte of the value, when that ends the message and follows the key. */
function passKeyBeforeValue(cursor: WireCursor, end: number): boolean {
  const { bytes, pos } = cursor;
  if (pos === end || bytes[pos] !== KEY_TAG) return false;
  cursor.pos = pos + 1;
  const keyEnd = cursor.lengthEnd(end);
  // A short length spelled long.
  if (cursor.pos !== pos + 2 && keyEnd - cursor.pos < 0x80) return false;
  if (keyEnd === end || bytes[keyEnd] !== VALUE_TAG) return false;
  cursor.pos = keyEnd + 1;
  return cursor.lengthEnd(end) === end;
}

/** Wire types of the members of `AnyValue`, by field number. */
const MEMBER_TYPES = [-1, WIRE_LENGTH, WIRE_VARINT, WIRE_VARINT, WIRE_FIXED64, WIRE_LENGTH, WIRE_LENGTH, WIRE_LENGTH];
const ARRAY_VALUE = 5;
const KVLIST_VALUE = 6;

/** `AnyValue` from `cursor.pos` to `end`. */
export function checkAnyValue(cursor: WireCursor, end: number, depth: number): void {
  if (passText(cursor, end)) return;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field < MEMBER_TYPES.length && MEMBER_TYPES[field] !== (tag & 7)) leaveFastPath();
    if (field === ARRAY_VALUE) checkItems(cursor, cursor.lengthEnd(end), { depth: depth + 1, isKeyValue: false });
    else if (field === KVLIST_VALUE) checkItems(cursor, cursor.lengthEnd(end), { depth: depth + 1, isKeyValue: true });
    else cursor.skip(tag, end);
  }
}

/** To the end, when nothing but one text is there: by far the most frequent value. */
function passText(cursor: WireCursor, end: number): boolean {
  const start = cursor.pos;
  if (start === end || cursor.bytes[start] !== STRING_TAG) return false;
  cursor.pos++;
  const isText = cursor.lengthEnd(end) === end;
  cursor.pos = isText ? end : start;
  return isText;
}

/** `ArrayValue` or `KeyValueList`: field 1 is an item, the rest is unknown. */
function checkItems(cursor: WireCursor, end: number, items: { depth: number; isKeyValue: boolean }): void {
  const { depth, isKeyValue } = items;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag >>> 3 === 1) {
      if (depth > MAX_ANY_VALUE_DEPTH) leaveFastPath();
      const itemEnd = innerEnd(cursor, tag, end);
      if (isKeyValue) checkKeyValue(cursor, itemEnd, depth);
      else {
        cursor.nodes += NODES_PER_ATTRIBUTE;
        checkAnyValue(cursor, itemEnd, depth);
      }
    } else cursor.skip(tag, end);
  }
}

/** End of the embedded message or text of the field with this tag. */
export function innerEnd(cursor: WireCursor, tag: number, end: number): number {
  return (tag & 7) === WIRE_LENGTH ? cursor.lengthEnd(end) : leaveFastPath();
}
