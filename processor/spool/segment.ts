import { randomBytes } from "node:crypto";
import type { FrameDamage } from "./frame.ts";

/** One file of the log. */
export interface Segment {
  /** Position in the log; grows, never comes twice. */
  readonly id: number;
  /**
   * File name without its ending. It carries random digits: batches are named after it, and a name that came again with
   * other records, say after somebody emptied the directory, would be taken for a repetition and dropped by the store.
   */
  readonly name: string;
  /** Bytes that may be read: written, synced and sound. */
  length: number;
  /** Nothing is appended any more. */
  sealed: boolean;
  /** What lies behind `length` and was not put into quarantine yet. */
  damage?: FrameDamage | undefined;
  /** When records came in, at most one mark a second. */
  readonly marks: AgeMark[];
}

interface AgeMark {
  readonly offset: number;
  readonly receivedAtMillis: number;
}

const SEGMENT_FILE = /^((\d{12})-[0-9a-f]{16})\.wal$/;
const MARK_MILLIS = 1_000;

export function createSegment(id: number): Segment {
  const name = `${String(id).padStart(12, "0")}-${randomBytes(8).toString("hex")}`;
  return { id, name, length: 0, sealed: false, marks: [] };
}

/** `undefined` for a file that is no segment. */
export function segmentFromFileName(file: string): Segment | undefined {
  const match = SEGMENT_FILE.exec(file);
  if (match === null) return undefined;
  return { id: Number(match[2]), name: match[1]!, length: 0, sealed: true, marks: [] };
}

export const segmentFileName = (segment: Segment): string => `${segment.name}.wal`;

/** Remembers when the record at the offset came in. */
export function markAge(segment: Segment, offset: number, receivedAtMillis: number): void {
  const last = segment.marks.at(-1);
  if (last === undefined || receivedAtMillis - last.receivedAtMillis >= MARK_MILLIS) {
    segment.marks.push({ offset, receivedAtMillis });
  }
}

/** When the record at the offset came in: exact to a second, never too late. */
export function ageMarkAt(segment: Segment, offset: number): number | undefined {
  return (segment.marks.findLast((mark) => mark.offset <= offset) ?? segment.marks[0])?.receivedAtMillis;
}
