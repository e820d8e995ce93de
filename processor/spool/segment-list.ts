import type { LogPosition } from "./checkpoint.ts";
import { ageMarkAt, type Segment } from "./segment.ts";

/** The files of the log, oldest first. */
export interface SegmentList {
  readonly all: readonly Segment[];
  add(segment: Segment): void;
  remove(segment: Segment): void;
  find(id: number): Segment | undefined;
  /** The position itself, or the start of the next segment when nothing can follow it in its own. */
  settled(position: LogPosition): LogPosition;
  /** Readable bytes behind the position. */
  bytesAfter(position: LogPosition): number;
  /** When the first record behind the position came in, exact to a second. */
  receivedAtMillis(position: LogPosition): number | undefined;
}

export function createSegmentList(): SegmentList {
  const segments: Segment[] = [];
  const after = (id: number): Segment | undefined => segments.find((segment) => segment.id > id);

  function settled(position: LogPosition): LogPosition {
    let at = position;
    for (;;) {
      const segment = segments.find(({ id }) => id === at.segment);
      if (segment !== undefined && (at.offset < segment.length || !segment.sealed)) return at;
      const next = after(at.segment);
      if (next === undefined) return at;
      at = { segment: next.id, offset: 0 };
    }
  }

  return {
    all: segments,
    add(segment) {
      segments.push(segment);
      segments.sort((a, b) => a.id - b.id);
    },
    remove(segment) {
      segments.splice(segments.indexOf(segment), 1);
    },
    find: (id) => segments.find((segment) => segment.id === id),
    settled,
    bytesAfter(position) {
      let bytes = 0;
      for (const { id, length } of segments) {
        if (id > position.segment) bytes += length;
        else if (id === position.segment) bytes += Math.max(0, length - position.offset);
      }
      return bytes;
    },
    receivedAtMillis(position) {
      const at = settled(position);
      const segment = segments.find(({ id }) => id === at.segment);
      return segment === undefined || at.offset >= segment.length ? undefined : ageMarkAt(segment, at.offset);
    },
  };
}
