import { MAX_ATTRIBUTES, MAX_TEXT_BYTES } from "../otlp/limits.ts";
import { NODES_PER_EVENT_OR_LINK } from "../otlp/node-budget.ts";
import { writeAttribute, writeText } from "./attribute-writer.ts";
import { innerEnd } from "./check-attribute.ts";
import { isTime, SPAN_ID_BYTES, timeAt, TRACE_ID_BYTES } from "./check-span.ts";
import type { SpanColumns } from "./span-columns.ts";
import type { StringColumn } from "./string-column.ts";
import { leaveFastPath, type WireCursor } from "./wire-cursor.ts";

/** The event from `cursor.pos` to `end` as one item of `Events`. */
export function writeEvent(
  cursor: WireCursor,
  end: number,
  { timestamp, name, attributes }: SpanColumns["events"],
): void {
  cursor.nodes += NODES_PER_EVENT_OR_LINK;
  let time = -1;
  let nameStart = 0;
  let nameEnd = 0;
  let count = 0;
  attributes.begin(0);
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    switch (tag >>> 3) {
      case 1:
        time = timeAt(cursor, tag, end);
        break;
      case 2:
        nameEnd = innerEnd(cursor, tag, end);
        nameStart = cursor.pos;
        cursor.pos = nameEnd;
        break;
      case 3:
        if (++count > MAX_ATTRIBUTES) leaveFastPath();
        writeAttribute(cursor, innerEnd(cursor, tag, end), attributes);
        break;
      default:
        cursor.skip(tag, end);
    }
  }
  attributes.end();
  if (time < 0) timestamp.appendUint64(0);
  else {
    if (!isTime(cursor, time)) leaveFastPath();
    timestamp.appendUint32(cursor.view.getUint32(time, true));
    timestamp.appendUint32(cursor.view.getUint32(time + 4, true));
  }
  if (nameEnd - nameStart > MAX_TEXT_BYTES || !name.append(cursor, nameStart, nameEnd)) leaveFastPath();
}

/** The link from `cursor.pos` to `end` as one item of `Links`. */
export function writeLink(cursor: WireCursor, end: number, columns: SpanColumns["links"]): void {
  cursor.nodes += NODES_PER_EVENT_OR_LINK;
  const starts = [0, 0, 0, 0];
  const ends = [0, 0, 0, 0];
  let count = 0;
  columns.attributes.begin(0);
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    const field = tag >>> 3;
    if (field === 4) {
      if (++count > MAX_ATTRIBUTES) leaveFastPath();
      writeAttribute(cursor, innerEnd(cursor, tag, end), columns.attributes);
    } else if (field < 4) {
      ends[field] = innerEnd(cursor, tag, end);
      starts[field] = cursor.pos;
      cursor.pos = ends[field]!;
    } else cursor.skip(tag, end);
  }
  columns.attributes.end();
  writeOptionalId(cursor, { start: starts[1]!, end: ends[1]!, size: TRACE_ID_BYTES }, columns.traceId);
  writeOptionalId(cursor, { start: starts[2]!, end: ends[2]!, size: SPAN_ID_BYTES }, columns.spanId);
  if (!writeText(cursor, starts[3]!, ends[3]!, columns.traceState)) leaveFastPath();
}

/** An id of `size` bytes or none; all zeros mean none. Any other size belongs to the slow path, which refuses it. */
export function writeOptionalId(
  cursor: WireCursor,
  id: { readonly start: number; readonly end: number; readonly size: number },
  column: StringColumn,
): void {
  const size = id.end - id.start;
  if (size === 0) column.appendEmpty();
  else if (size === id.size) column.appendHexOrEmpty(cursor, id.start, size);
  else leaveFastPath();
}
