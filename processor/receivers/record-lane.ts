import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";

/** `priority`: what a verdict hangs on; it is never limited while `bulk` is. */
export type RecordLane = "priority" | "bulk";

/** The record spans without which a run would be invisible or judged wrong. The root span comes with all the others. */
export const PRIORITY_EVENTS: ReadonlySet<string> = new Set([
  semconv.RUN_EVENT_START,
  semconv.RUN_EVENT_CHECKPOINT,
  semconv.RUN_EVENT_CLOSE,
  semconv.RUN_EVENT_PROCESS_EXIT,
  semconv.RUN_EVENT_PROCESS_DIED,
]);

/** Largest body of the priority lane. A start record carries the run's input, by default up to 1 MiB. */
export const MAX_PRIORITY_BYTES = 2 * 1024 * 1024;

/** Both encodings spell the attribute's name out. */
const MARKER = Buffer.from(semconv.ATTR_RUN_EVENT);

/** Whether a body may be of the priority lane: one search, no decoding. */
export function mayHoldRecords(body: Uint8Array): boolean {
  if (body.length > MAX_PRIORITY_BYTES) return false;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(MARKER);
}

/** `priority` for a body that is small and holds record spans of runs and nothing else. */
export const laneFrom = (holdsOnlyRecords: boolean, bodyBytes: number): RecordLane =>
  holdsOnlyRecords && bodyBytes <= MAX_PRIORITY_BYTES ? "priority" : "bulk";

export const isPriorityRecord = (row: SpanRow | LogRow): boolean =>
  "SpanAttributes" in row && PRIORITY_EVENTS.has(row.SpanAttributes[semconv.ATTR_RUN_EVENT] ?? "");
