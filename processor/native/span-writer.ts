import { ATTR_RUN_EVENT, ATTR_RUN_ID } from "../../instrumentation/semconv.ts";
import { SPAN_KINDS, STATUS_CODES } from "../clickhouse/rows.ts";
import { MAX_ATTRIBUTES, MAX_TEXT_BYTES } from "../otlp/limits.ts";
import { NODES_PER_SPAN } from "../otlp/node-budget.ts";
import { writeAttribute, writeText } from "./attribute-writer.ts";
import { innerEnd } from "./check-attribute.ts";
import * as check from "./check-span.ts";
import { writeEvent, writeLink, writeOptionalId } from "./event-writer.ts";
import { NamedCodeColumn } from "./named-code-column.ts";
import { ProjectStamp } from "./project-stamp.ts";
import type { SpanColumns } from "./span-columns.ts";
import { StepMarks } from "./step-marks.ts";
import { StoredTextReader, touchedTrace, type TouchedRun } from "./touched-run.ts";
import { leaveFastPath, WIRE_VARINT, type WireCursor } from "./wire-cursor.ts";

/** Absent, as a position. */
const NONE = -1;

/**
 * Copies spans from the wire into the columns. A field that comes twice counts the last time, as for the decoder.
 * Whatever it does not know leaves the fast path with the row half written: the caller cuts it.
 */
export class SpanWriter {
  readonly #columns: SpanColumns;
  readonly #kind: NamedCodeColumn;
  readonly #status: NamedCodeColumn;
  readonly #runIds = new StoredTextReader();
  readonly #traceIds = new StoredTextReader();
  readonly #events = new StoredTextReader();
  // Of the span being read: positions in the body, and two numbers.
  #traceId = NONE;
  #spanId = NONE;
  #parentStart = 0;
  #parentEnd = 0;
  #stateStart = 0;
  #stateEnd = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #startTime = NONE;
  #endTime = NONE;
  #messageStart = 0;
  #messageEnd = 0;
  #hasStatus = false;
  #kindCode = 0;
  #statusCode = 0;
  #attributes = 0;
  // Key ids of the two attributes the run assembler asks for, and where their values went.
  #keyGeneration = NONE;
  #runIdKey = NONE;
  #eventKey = NONE;
  #runIdAt = NONE;
  #eventAt = NONE;
  readonly #marks = new StepMarks();
  #isStep = false;
  readonly #stamp: ProjectStamp;

  constructor(columns: SpanColumns) {
    this.#columns = columns;
    this.#stamp = new ProjectStamp(columns.spanAttributes);
    this.#kind = new NamedCodeColumn(columns.spanKind, SPAN_KINDS);
    this.#status = new NamedCodeColumn(columns.statusCode, STATUS_CODES);
  }

  /** The credential's project of the spans that follow; `''` for none. */
  set project(project: string) {
    this.#stamp.project = project;
  }

  /** Everything of a row but what its resource and scope say. Returns the run the span belongs to, if it says so. */
  write(cursor: WireCursor, end: number): TouchedRun | undefined {
    const { spanAttributes, events, links } = this.#columns;
    cursor.nodes += NODES_PER_SPAN;
    this.#clear();
    // Serializers write the name before the attributes, and spans of one kind of name have the same keys.
    let hasBegun = false;
    while (cursor.pos < end) {
      if (cursor.bytes[cursor.pos] === check.ATTRIBUTES_TAG) {
        if (!hasBegun) spanAttributes.begin(this.#nameForm(cursor));
        hasBegun = true;
        cursor.pos++;
        this.#readAttribute(cursor, cursor.lengthEnd(end));
      } else this.#readField(cursor, cursor.tag(end), end);
    }
    this.#stamp.end();
    spanAttributes.end();
    this.#writeIds(cursor);
    this.#writeTexts(cursor);
    this.#writeTimes(cursor);
    this.#kind.append(this.#kindCode);
    this.#status.append(this.#statusCode);
    events.offsets.appendUint64(this.#columns.eventCount);
    links.offsets.appendUint64(this.#columns.linkCount);
    const own = this.#runIdAt === NONE ? undefined : this.#touchedRun();
    if (own !== undefined) return own;
    return this.#isStep ? touchedTrace(this.#readTraceId(), this.#parentStart === this.#parentEnd) : undefined;
  }

  #clear(): void {
    this.#traceId = NONE;
    this.#spanId = NONE;
    this.#parentStart = 0;
    this.#parentEnd = 0;
    this.#stateStart = 0;
    this.#stateEnd = 0;
    this.#nameStart = 0;
    this.#nameEnd = 0;
    this.#startTime = NONE;
    this.#endTime = NONE;
    this.#messageStart = 0;
    this.#messageEnd = 0;
    this.#hasStatus = false;
    this.#kindCode = 0;
    this.#statusCode = 0;
    this.#attributes = 0;
    this.#runIdAt = NONE;
    this.#eventAt = NONE;
    this.#isStep = false;
    this.#stamp.begin();
    const { dictionary } = this.#columns.spanAttributes.keys;
    if (this.#keyGeneration === dictionary.generation && dictionary.size > 0) return;
    this.#runIdKey = dictionary.idOfText(ATTR_RUN_ID);
    this.#eventKey = dictionary.idOfText(ATTR_RUN_EVENT);
    this.#marks.learn(dictionary);
    this.#keyGeneration = dictionary.generation;
  }

  #readField(cursor: WireCursor, tag: number, end: number): void {
    switch (tag >>> 3) {
      case check.ATTRIBUTES:
        // With a tag of the usual length it does not come here.
        leaveFastPath();
      case check.EVENTS:
        writeEvent(cursor, innerEnd(cursor, tag, end), this.#columns.events);
        return;
      case check.LINKS:
        writeLink(cursor, innerEnd(cursor, tag, end), this.#columns.links);
        return;
      case check.STATUS:
        this.#readStatus(cursor, innerEnd(cursor, tag, end));
        return;
      case check.KIND:
        if ((tag & 7) !== WIRE_VARINT) leaveFastPath();
        this.#kindCode = cursor.varint(end);
        return;
      case check.START_TIME:
        this.#startTime = check.timeAt(cursor, tag, end);
        return;
      case check.END_TIME:
        this.#endTime = check.timeAt(cursor, tag, end);
        return;
      default:
        this.#readText(cursor, tag, end);
    }
  }

  #nameForm({ bytes }: WireCursor): number {
    const start = this.#nameStart;
    return this.#nameEnd === start ? 0 : bytes[start]! * 5 + bytes[start + ((this.#nameEnd - start) >> 2)]!;
  }

  #readText(cursor: WireCursor, tag: number, end: number): void {
    const field = tag >>> 3;
    if (field > check.NAME) {
      cursor.skip(tag, end);
      return;
    }
    const textEnd = innerEnd(cursor, tag, end);
    const start = cursor.pos;
    cursor.pos = textEnd;
    switch (field) {
      case check.TRACE_ID:
        this.#traceId = textEnd - start === check.TRACE_ID_BYTES ? start : leaveFastPath();
        return;
      case check.SPAN_ID:
        this.#spanId = textEnd - start === check.SPAN_ID_BYTES ? start : leaveFastPath();
        return;
      case check.PARENT_SPAN_ID:
        this.#parentStart = start;
        this.#parentEnd = textEnd;
        return;
      case check.TRACE_STATE:
        this.#stateStart = start;
        this.#stateEnd = textEnd;
        return;
      default:
        this.#nameStart = start;
        this.#nameEnd = textEnd;
    }
  }

  #readAttribute(cursor: WireCursor, end: number): void {
    if (++this.#attributes > MAX_ATTRIBUTES) leaveFastPath();
    const { spanAttributes } = this.#columns;
    const valueAt = spanAttributes.values.data.length;
    const key = writeAttribute(cursor, end, spanAttributes);
    if (key === this.#runIdKey) this.#runIdAt = valueAt;
    else if (key === this.#eventKey) this.#eventAt = valueAt;
    else if (key === this.#stamp.key) this.#stamp.overrule(valueAt);
    else if (this.#marks.has(key)) this.#isStep = true;
  }

  /** In several pieces it is for the slow path. */
  #readStatus(cursor: WireCursor, end: number): void {
    if (this.#hasStatus) leaveFastPath();
    this.#hasStatus = true;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag >>> 3 === 2) {
        this.#messageEnd = innerEnd(cursor, tag, end);
        this.#messageStart = cursor.pos;
        cursor.pos = this.#messageEnd;
      } else if (tag >>> 3 === 3) {
        if ((tag & 7) !== WIRE_VARINT) leaveFastPath();
        this.#statusCode = cursor.varint(end);
      } else cursor.skip(tag, end);
    }
  }

  #writeIds(cursor: WireCursor): void {
    const { traceId, spanId, parentSpanId } = this.#columns;
    if (this.#traceId === NONE || this.#spanId === NONE) leaveFastPath();
    if (!traceId.appendHex(cursor, this.#traceId, check.TRACE_ID_BYTES)) leaveFastPath();
    if (!spanId.appendHex(cursor, this.#spanId, check.SPAN_ID_BYTES)) leaveFastPath();
    writeOptionalId(
      cursor,
      { start: this.#parentStart, end: this.#parentEnd, size: check.SPAN_ID_BYTES },
      parentSpanId,
    );
  }

  #writeTexts(cursor: WireCursor): void {
    const { traceState, spanName, statusMessage } = this.#columns;
    if (this.#nameEnd - this.#nameStart > MAX_TEXT_BYTES) leaveFastPath();
    const isGood =
      spanName.append(cursor, this.#nameStart, this.#nameEnd) &&
      writeText(cursor, this.#stateStart, this.#stateEnd, traceState) &&
      writeText(cursor, this.#messageStart, this.#messageEnd, statusMessage);
    if (!isGood) leaveFastPath();
  }

  /** The 64-bit times in halves; a duration is never negative. */
  #writeTimes(cursor: WireCursor): void {
    const { timestamp, duration } = this.#columns;
    const { view } = cursor;
    const hasStart = this.#startTime !== NONE;
    if (hasStart && !check.isTime(cursor, this.#startTime)) leaveFastPath();
    const startLow = hasStart ? view.getUint32(this.#startTime, true) : 0;
    const startHigh = hasStart ? view.getUint32(this.#startTime + 4, true) : 0;
    const hasEnd = this.#endTime !== NONE;
    const endLow = hasEnd ? view.getUint32(this.#endTime, true) : 0;
    const endHigh = hasEnd ? view.getUint32(this.#endTime + 4, true) : 0;
    timestamp.appendUint32(startLow);
    timestamp.appendUint32(startHigh);
    const isPositive = endHigh > startHigh || (endHigh === startHigh && endLow > startLow);
    const borrow = endLow < startLow ? 1 : 0;
    duration.appendUint32(isPositive ? (endLow - startLow) >>> 0 : 0);
    duration.appendUint32(isPositive ? endHigh - startHigh - borrow : 0);
  }

  #touchedRun(): TouchedRun | undefined {
    const { data } = this.#columns.spanAttributes.values;
    const runId = this.#runIds.read(data, this.#runIdAt);
    if (runId === "") return undefined;
    const event = this.#eventAt === NONE ? "" : this.#events.read(data, this.#eventAt);
    return { runId, traceId: this.#readTraceId(), event };
  }

  /** Of the row that was just written. */
  #readTraceId(): string {
    const { data } = this.#columns.traceId;
    return this.#traceIds.read(data, data.length - 2 * check.TRACE_ID_BYTES - 1);
  }
}
