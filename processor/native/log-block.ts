import type { LOG_COLUMNS, LogRow } from "../clickhouse/rows.ts";
import { logRowsFrom } from "../otlp/log-rows.ts";
import { decodeLogsProtobuf } from "../otlp/protobuf-logs.ts";
import { stampProject } from "../receivers/stamp-project.ts";
import { GrowableBytes } from "./growable-bytes.ts";
import { LowCardinalityColumn } from "./low-cardinality-column.ts";
import { MapColumn } from "./map-column.ts";
import { fixedColumn, lowCardinalityColumn, mapColumn } from "./native-block.ts";
import { nativeBlock, type NativeColumn, stringColumn } from "./native-block.ts";
import { type Rejected, rejectedFrom } from "./rejections.ts";
import type { AppendOptions } from "./span-block.ts";
import { StringColumn } from "./string-column.ts";

/** What one body added to a block of logs. */
export interface LogAppendResult {
  readonly rows: number;
  readonly rejected: readonly Rejected[];
  readonly cutValues: number;
  readonly droppedAttributes: number;
}

/** Rows of `otel_logs` on their way into one insert. Records go through row objects: logs are few beside spans. */
export interface LogBlock {
  /**
   * Appends the records of a protobuf `ExportLogsServiceRequest`; with a project, stamped with it.
   * @throws OtlpDecodeError for a body that is refused as a whole; the block is then as it was before.
   */
  append(body: Uint8Array, options?: AppendOptions): LogAppendResult;
  appendRow(row: LogRow): void;
  readonly rows: number;
  /** Size of the block, about. */
  readonly bytes: number;
  /** The block in pieces to send in order. They share the block's memory: send them before the next `append`. */
  finish(): Uint8Array[];
  /** Empties the block and keeps its memory. */
  reset(): void;
}

export function createLogBlock(): LogBlock {
  const columns = logColumns();
  let rows = 0;
  const appendRow = (row: LogRow): void => {
    appendColumns(columns, row);
    rows++;
  };
  return {
    append(body, { project = "" } = {}) {
      const { rows: added, rejections, cutValues, droppedAttributes } = logRowsFrom(decodeLogsProtobuf(body));
      if (project !== "") stampProject(added, project);
      for (const row of added) appendRow(row);
      return { rows: added.length, rejected: rejectedFrom(rejections), cutValues, droppedAttributes };
    },
    appendRow,
    get rows() {
      return rows;
    },
    get bytes() {
      return Object.values(columns).reduce((bytes, column) => bytes + sizeOf(column), 0);
    },
    finish: () => nativeBlock(rows, nativeColumns(columns)),
    reset() {
      rows = 0;
      for (const column of Object.values(columns)) (column instanceof StringColumn ? column.data : column).reset();
    },
  };
}

type LogColumn = GrowableBytes | StringColumn | LowCardinalityColumn | MapColumn;

/** Numbers are `GrowableBytes`: eight bytes for the time, one for each of the others. */
const logColumns = () =>
  ({
    Timestamp: new GrowableBytes(),
    TraceId: new StringColumn(),
    SpanId: new StringColumn(),
    TraceFlags: new GrowableBytes(),
    SeverityText: new LowCardinalityColumn(),
    SeverityNumber: new GrowableBytes(),
    ServiceName: new LowCardinalityColumn(),
    Body: new StringColumn(),
    ResourceSchemaUrl: new LowCardinalityColumn(),
    ResourceAttributes: new MapColumn(),
    ScopeSchemaUrl: new LowCardinalityColumn(),
    ScopeName: new StringColumn(),
    ScopeVersion: new LowCardinalityColumn(),
    ScopeAttributes: new MapColumn(),
    LogAttributes: new MapColumn(),
    EventName: new StringColumn(),
  }) satisfies Record<(typeof LOG_COLUMNS)[number], LogColumn>;

type LogColumns = ReturnType<typeof logColumns>;

const TEXT_COLUMNS = [
  "TraceId",
  "SpanId",
  "SeverityText",
  "ServiceName",
  "Body",
  "ResourceSchemaUrl",
  "ScopeSchemaUrl",
  "ScopeName",
  "ScopeVersion",
  "EventName",
] as const;
const MAP_COLUMNS = ["ResourceAttributes", "ScopeAttributes", "LogAttributes"] as const;

function appendColumns(columns: LogColumns, row: LogRow): void {
  columns.Timestamp.appendBigUint64(BigInt(row.Timestamp));
  columns.TraceFlags.appendByte(row.TraceFlags);
  columns.SeverityNumber.appendByte(row.SeverityNumber);
  for (const name of TEXT_COLUMNS) columns[name].appendText(row[name]);
  for (const name of MAP_COLUMNS) columns[name].appendMap(row[name]);
}

function nativeColumns(columns: LogColumns): Record<string, NativeColumn> {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, nativeColumn(name, column)]));
}

function nativeColumn(name: string, column: LogColumn): NativeColumn {
  if (column instanceof StringColumn) return stringColumn(column);
  if (column instanceof LowCardinalityColumn) return lowCardinalityColumn(column);
  if (column instanceof MapColumn) return mapColumn(column);
  return fixedColumn(name === "Timestamp" ? "DateTime64(9)" : "UInt8", column);
}

function sizeOf(column: LogColumn): number {
  if (column instanceof StringColumn) return column.data.length;
  if (column instanceof LowCardinalityColumn) return column.ids.length;
  if (column instanceof MapColumn) return column.keys.ids.length + column.values.data.length + column.offsets.length;
  return column.length;
}
