import { NODES_PER_EVENT_OR_LINK, NODES_PER_SPAN } from "../otlp/node-budget.ts";
import { checkKeyValue, innerEnd } from "./check-attribute.ts";
import type { ByteSource } from "./growable-bytes.ts";
import type { RunEventFinder } from "./run-event-finder.ts";
import { leaveFastPath, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT, type WireCursor } from "./wire-cursor.ts";

/** Field numbers of `Span`. */
export const TRACE_ID = 1;
export const SPAN_ID = 2;
export const TRACE_STATE = 3;
export const PARENT_SPAN_ID = 4;
export const NAME = 5;
export const KIND = 6;
export const START_TIME = 7;
export const END_TIME = 8;
export const ATTRIBUTES = 9;
export const EVENTS = 11;
export const LINKS = 13;
export const STATUS = 15;

/** With a tag of the usual length. */
export const ATTRIBUTES_TAG = (ATTRIBUTES << 3) | WIRE_LENGTH;

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

/**
 * Passes over the span from `cursor.pos` to `end`, counts its nodes and tells whether it can be stored. A span that
 * cannot is refused alone, for the reason `spanRowsFrom` gives; bytes that are no span leave the fast path. `finder`
 * is told of the attributes.
 */
export function checkSpan(cursor: WireCursor, end: number, finder?: RunEventFinder): boolean {
  finder?.begin();
  cursor.nodes += NODES_PER_SPAN;
  let hasTraceId = false;
  let hasSpanId = false;
  let isParentGood = true;
  let isTimeGood = true;
  let areListsGood = true;
  while (cursor.pos < end) {
    if (cursor.bytes[cursor.pos] === ATTRIBUTES_TAG) {
      cursor.pos++;
      checkAttribute(cursor, cursor.lengthEnd(end), finder);
      continue;
    }
    const tag = cursor.tag(end);
    switch (tag >>> 3) {
      case ATTRIBUTES:
        checkAttribute(cursor, innerEnd(cursor, tag, end), finder);
        break;
      case TRACE_ID:
        hasTraceId = readId(cursor, tag, end) === TRACE_ID_BYTES;
        break;
      case SPAN_ID:
        hasSpanId = readId(cursor, tag, end) === SPAN_ID_BYTES;
        break;
      case PARENT_SPAN_ID:
        isParentGood = isOptionalId(innerSize(cursor, tag, end), SPAN_ID_BYTES);
        break;
      case START_TIME:
        isTimeGood = isTime(cursor, timeAt(cursor, tag, end));
        break;
      case EVENTS:
        areListsGood = checkEvent(cursor, innerEnd(cursor, tag, end)) && areListsGood;
        break;
      case LINKS:
        areListsGood = checkLink(cursor, innerEnd(cursor, tag, end)) && areListsGood;
        break;
      default:
        checkOtherField(cursor, tag, end);
    }
  }
  return hasTraceId && hasSpanId && isParentGood && isTimeGood && areListsGood;
}

function checkAttribute(cursor: WireCursor, end: number, finder: RunEventFinder | undefined): void {
  const start = cursor.pos;
  const isUsual = checkKeyValue(cursor, end, 1);
  if (finder !== undefined) finder.attribute(cursor, start, isUsual);
}

/** Fields that cannot make a span unstorable. */
function checkOtherField(cursor: WireCursor, tag: number, end: number): void {
  switch (tag >>> 3) {
    case TRACE_STATE:
    case NAME:
      cursor.pos = innerEnd(cursor, tag, end);
      return;
    case KIND:
      if ((tag & 7) !== WIRE_VARINT) leaveFastPath();
      cursor.varint(end);
      return;
    case END_TIME:
      timeAt(cursor, tag, end);
      return;
    case STATUS:
      checkStatus(cursor, innerEnd(cursor, tag, end));
      return;
    default:
      cursor.skip(tag, end);
  }
}

/** The last time counts, as for every field that comes twice. */
function checkEvent(cursor: WireCursor, end: number): boolean {
  cursor.nodes += NODES_PER_EVENT_OR_LINK;
  let isGood = true;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 1) isGood = isTime(cursor, timeAt(cursor, tag, end));
    else if (field === 2) cursor.pos = innerEnd(cursor, tag, end);
    else if (field === 3) checkKeyValue(cursor, innerEnd(cursor, tag, end), 1);
    else cursor.skip(tag, end);
  }
  return isGood;
}

function checkLink(cursor: WireCursor, end: number): boolean {
  cursor.nodes += NODES_PER_EVENT_OR_LINK;
  let isTraceGood = true;
  let isSpanGood = true;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 1) isTraceGood = isOptionalId(innerSize(cursor, tag, end), TRACE_ID_BYTES);
    else if (field === 2) isSpanGood = isOptionalId(innerSize(cursor, tag, end), SPAN_ID_BYTES);
    else if (field === 3) cursor.pos = innerEnd(cursor, tag, end);
    else if (field === 4) checkKeyValue(cursor, innerEnd(cursor, tag, end), 1);
    else cursor.skip(tag, end);
  }
  return isTraceGood && isSpanGood;
}

function checkStatus(cursor: WireCursor, end: number): void {
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 2) cursor.pos = innerEnd(cursor, tag, end);
    else if (field === 3 && (tag & 7) !== WIRE_VARINT) leaveFastPath();
    else cursor.skip(tag, end);
  }
}

/** Size of the id of this field; 0 when it is all zeros. */
function readId(cursor: WireCursor, tag: number, end: number): number {
  const idEnd = innerEnd(cursor, tag, end);
  const start = cursor.pos;
  cursor.pos = idEnd;
  for (let at = start; at < idEnd; at++) if (cursor.bytes[at] !== 0) return idEnd - start;
  return 0;
}

function innerSize(cursor: WireCursor, tag: number, end: number): number {
  const inner = innerEnd(cursor, tag, end);
  const size = inner - cursor.pos;
  cursor.pos = inner;
  return size;
}

export const isOptionalId = (size: number, idBytes: number): boolean => size === 0 || size === idBytes;

/** Position of the `fixed64` of this field. */
export function timeAt(cursor: WireCursor, tag: number, end: number): number {
  return (tag & 7) === WIRE_FIXED64 ? cursor.fixed(8, end) : leaveFastPath();
}

/** Whether the time at this position is one the engine can hold: below 2^63. */
export const isTime = (source: ByteSource, at: number): boolean => source.bytes[at + 7]! < 0x80;
