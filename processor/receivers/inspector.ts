import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { createLogsScan, createTracesScan, type ScanResult } from "../native/index.ts";
import type { RowBatch } from "../otlp/index.ts";
import type { OtlpSignal } from "./otlp-request.ts";
import { isPriorityRecord, laneFrom, PRIORITY_EVENTS, type RecordLane } from "./record-lane.ts";

/** What has to be known of a body before it is acknowledged. */
export interface Inspected {
  /** Records that can be stored. */
  readonly records: number;
  /** Records that cannot, by reason. */
  readonly rejections: ReadonlyMap<string, number>;
  readonly lane: RecordLane;
}

/** Looks at protobuf bodies without making rows of them. @throws OtlpDecodeError for a body that is refused as a whole */
export type Inspector = Readonly<Record<OtlpSignal, (body: Uint8Array) => Inspected>>;

export function createInspector(): Inspector {
  const scanTraces = createTracesScan(PRIORITY_EVENTS);
  const scanLogs = createLogsScan();
  return {
    traces(body) {
      const scanned = scanTraces(body);
      return inspected(scanned, laneFrom(scanned.onlyEvents, body.length));
    },
    logs: (body) => inspected(scanLogs(body), "bulk"),
  };
}

const inspected = ({ rows, rejected }: ScanResult, lane: RecordLane): Inspected => ({
  records: rows,
  rejections: new Map(rejected.map(({ reason, count }) => [reason, count])),
  lane,
});

/** The same from rows, where they exist anyway. */
export function inspectedFrom(
  { rows, rejections }: Pick<RowBatch<SpanRow> | RowBatch<LogRow>, "rows" | "rejections">,
  bodyBytes: number,
): Inspected {
  const areRecords = rows.length > 0 && rows.every(isPriorityRecord);
  return { records: rows.length, rejections, lane: laneFrom(areRecords, bodyBytes) };
}
