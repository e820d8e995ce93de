import type { SPAN_COLUMNS } from "../clickhouse/rows.ts";
import { arrayColumn, fixedColumn, lowCardinalityColumn, mapColumn } from "./native-block.ts";
import { nativeBlock, type NativeColumn, stringColumn } from "./native-block.ts";
import type { SpanColumns } from "./span-columns.ts";

const TIME = "DateTime64(9)";

/** The columns as one Native block, in the order of `SPAN_COLUMNS`. The pieces share the columns' memory. */
export function spanNativeBlock(columns: SpanColumns): Uint8Array[] {
  const { events, links } = columns;
  const byName: Record<(typeof SPAN_COLUMNS)[number], NativeColumn> = {
    Timestamp: fixedColumn(TIME, columns.timestamp),
    TraceId: stringColumn(columns.traceId),
    SpanId: stringColumn(columns.spanId),
    ParentSpanId: stringColumn(columns.parentSpanId),
    TraceState: stringColumn(columns.traceState),
    SpanName: lowCardinalityColumn(columns.spanName),
    SpanKind: lowCardinalityColumn(columns.spanKind),
    ServiceName: lowCardinalityColumn(columns.serviceName),
    ResourceAttributes: mapColumn(columns.resourceAttributes),
    ScopeName: stringColumn(columns.scopeName),
    ScopeVersion: stringColumn(columns.scopeVersion),
    SpanAttributes: mapColumn(columns.spanAttributes),
    Duration: fixedColumn("UInt64", columns.duration),
    StatusCode: lowCardinalityColumn(columns.statusCode),
    StatusMessage: stringColumn(columns.statusMessage),
    "Events.Timestamp": arrayColumn(events.offsets, fixedColumn(TIME, events.timestamp)),
    "Events.Name": arrayColumn(events.offsets, lowCardinalityColumn(events.name)),
    "Events.Attributes": arrayColumn(events.offsets, mapColumn(events.attributes)),
    "Links.TraceId": arrayColumn(links.offsets, stringColumn(links.traceId)),
    "Links.SpanId": arrayColumn(links.offsets, stringColumn(links.spanId)),
    "Links.TraceState": arrayColumn(links.offsets, stringColumn(links.traceState)),
    "Links.Attributes": arrayColumn(links.offsets, mapColumn(links.attributes)),
  };
  return nativeBlock(columns.rows, byName);
}
