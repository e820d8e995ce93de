import { NODES_PER_LOG_RECORD } from "../otlp/node-budget.ts";
import { checkAnyValue, checkKeyValue, innerEnd } from "./check-attribute.ts";
import { isOptionalId, isTime, SPAN_ID_BYTES, timeAt, TRACE_ID_BYTES } from "./check-span.ts";
import { leaveFastPath, WIRE_FIXED32, WIRE_VARINT, type WireCursor } from "./wire-cursor.ts";

/** Absent, as a position. */
const NONE = -1;

/**
 * Passes over the log record from `cursor.pos` to `end`, counts its nodes and tells whether it can be stored. One that
 * cannot is refused alone, for the reason `logRowsFrom` gives; bytes that are no record leave the fast path.
 */
export function checkLogRecord(cursor: WireCursor, end: number): boolean {
  cursor.nodes += NODES_PER_LOG_RECORD;
  let areIdsGood = true;
  let isTraceGood = true;
  let time = NONE;
  let observed = NONE;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    switch (tag >>> 3) {
      case 1:
        time = timeAt(cursor, tag, end);
        break;
      case 11:
        observed = timeAt(cursor, tag, end);
        break;
      case 9:
        isTraceGood = isId(cursor, innerEnd(cursor, tag, end), TRACE_ID_BYTES);
        break;
      case 10:
        areIdsGood = isId(cursor, innerEnd(cursor, tag, end), SPAN_ID_BYTES);
        break;
      default:
        checkOtherField(cursor, tag, end);
    }
  }
  return areIdsGood && isTraceGood && isStorable(cursor, isZero(cursor, time) ? observed : time);
}

/** Fields that cannot make a record unstorable. */
function checkOtherField(cursor: WireCursor, tag: number, end: number): void {
  switch (tag >>> 3) {
    case 5:
      checkAnyValue(cursor, innerEnd(cursor, tag, end), 1);
      return;
    case 6:
      checkKeyValue(cursor, innerEnd(cursor, tag, end), 1);
      return;
    case 2:
      if ((tag & 7) !== WIRE_VARINT) leaveFastPath();
      break;
    case 8:
      if ((tag & 7) !== WIRE_FIXED32) leaveFastPath();
      break;
    case 3:
    case 12:
      cursor.pos = innerEnd(cursor, tag, end);
      return;
    default:
  }
  cursor.skip(tag, end);
}

function isId(cursor: WireCursor, end: number, size: number): boolean {
  const isGood = isOptionalId(end - cursor.pos, size);
  cursor.pos = end;
  return isGood;
}

const isZero = ({ view }: WireCursor, at: number): boolean =>
  at === NONE || (view.getUint32(at, true) | view.getUint32(at + 4, true)) === 0;

const isStorable = (cursor: WireCursor, at: number): boolean => at === NONE || isTime(cursor, at);
