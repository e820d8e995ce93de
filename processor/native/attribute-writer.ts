import { textFromAnyValue } from "../otlp/any-value-text.ts";
import { MAX_TEXT_BYTES } from "../otlp/limits.ts";
import { NODES_PER_ATTRIBUTE } from "../otlp/node-budget.ts";
import { decodeAnyValue } from "../otlp/protobuf-common.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { checkAnyValue } from "./check-attribute.ts";
import type { MapColumn } from "./map-column.ts";
import type { StringColumn } from "./string-column.ts";
import { writeTextArray } from "./text-array.ts";
import { leaveFastPath, type WireCursor } from "./wire-cursor.ts";

const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const STRING_TAG = 0x0a;
const BOOL_TAG = 0x10;
const INT_TAG = 0x18;
const DOUBLE_TAG = 0x21;
const ARRAY_TAG = 0x2a;
/** Four bytes hold 28 bits: no sign, nothing lost. */
const MAX_FAST_INT_BYTES = 4;

/**
 * Appends the `KeyValue` from `cursor.pos` to `end` and returns the id of its key. It knows the form every serializer
 * writes, key before value and each once, the key
 * shorter than 128 bytes; any other form leaves the fast path.
 */
export function writeAttribute(cursor: WireCursor, end: number, map: MapColumn): number {
  cursor.nodes += NODES_PER_ATTRIBUTE;
  const { bytes } = cursor;
  const keyStart = cursor.pos + 2;
  const keyEnd = keyStart + bytes[cursor.pos + 1]!;
  const isUsual = bytes[cursor.pos] === KEY_TAG && bytes[cursor.pos + 1]! < 0x80 && keyEnd + 1 < end;
  if (!isUsual || bytes[keyEnd] !== VALUE_TAG) leaveFastPath();
  const id = map.key(cursor, keyStart, keyEnd);
  if (id < 0) leaveFastPath();
  cursor.pos = keyEnd + 1;
  if (cursor.lengthEnd(end) !== end) leaveFastPath();
  if (cursor.pos === end) map.values.appendEmpty();
  else writeValue(cursor, keyEnd, end, map.values);
  return id;
}

/**
 * The `AnyValue` from `cursor.pos` to `end`, which is not empty, as `textFromAnyValue` spells it. Its field begins,
 * tag and length included, at `fieldStart`.
 */
function writeValue(cursor: WireCursor, fieldStart: number, end: number, values: StringColumn): void {
  const { bytes } = cursor;
  let isWritten = false;
  switch (bytes[cursor.pos++]) {
    case STRING_TAG:
      isWritten = cursor.lengthEnd(end) === end && writeText(cursor, cursor.pos, end, values);
      break;
    case BOOL_TAG:
      isWritten = cursor.pos + 1 === end && bytes[cursor.pos]! < 0x80;
      if (isWritten) values.appendShortAscii(bytes[cursor.pos] === 0 ? "false" : "true");
      break;
    case INT_TAG:
      isWritten = end - cursor.pos <= MAX_FAST_INT_BYTES && writeInteger(cursor, end, values);
      break;
    case DOUBLE_TAG:
      isWritten = end - cursor.pos === 8;
      if (isWritten) values.appendShortAscii(doubleText(cursor.view.getFloat64(cursor.pos, true)));
      break;
    case ARRAY_TAG:
      isWritten = cursor.lengthEnd(end) === end && writeTextArray(cursor, end, values);
      break;
    default:
  }
  if (!isWritten) writeSlowValue(cursor, fieldStart, end, values);
  cursor.pos = end;
}

const doubleText = (value: number): string => textFromAnyValue({ type: "doubleValue", value });

function writeInteger(cursor: WireCursor, end: number, values: StringColumn): boolean {
  const integer = cursor.varint(end);
  if (cursor.pos !== end) return false;
  values.appendInteger(integer);
  return true;
}

/** Appends a text that is UTF-8 and within the limit; of another it appends nothing and returns `false`. */
export function writeText(cursor: WireCursor, start: number, end: number, column: StringColumn): boolean {
  return end - start <= MAX_TEXT_BYTES && column.appendUtf8(cursor, start, end);
}

/** Every other kind of value through the decoder. */
function writeSlowValue(cursor: WireCursor, fieldStart: number, end: number, values: StringColumn): void {
  cursor.pos = fieldStart + 1;
  cursor.lengthEnd(end);
  checkAnyValue(cursor, end, 1);
  const reader = new ProtobufReader(cursor.bytes.subarray(fieldStart, end));
  reader.nextField();
  const text = textFromAnyValue(decodeAnyValue(reader));
  // A text to be cut is named in another column: that is for the slow path of the whole span.
  if (text.length * 3 > MAX_TEXT_BYTES && Buffer.byteLength(text) > MAX_TEXT_BYTES) leaveFastPath();
  values.appendText(text);
}
