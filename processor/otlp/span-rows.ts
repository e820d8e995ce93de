import { ATTR_SERVICE_NAME } from "../../instrumentation/semconv.ts";
import { SPAN_KINDS, STATUS_CODES, type AttributeMap, type SpanRow } from "../clickhouse/rows.ts";
import { attributeMapFrom, markLosses } from "./attribute-map.ts";
import { cutText, noLosses, type RowLosses } from "./cut-text.ts";
import { isSpanId, isTraceId, optionalSpanId, optionalTraceId } from "./ids.ts";
import type { ScopeSpans, Span, SpanEvent, SpanLink, TracesData } from "./model.ts";
import { type RowBatch, RowBatchBuilder } from "./row-batch.ts";
import { isStorableTime, TIME_RULE } from "./storable-time.ts";

interface ResourceColumns {
  readonly serviceName: string;
  readonly resourceAttributes: AttributeMap;
}

/** What the spans of one scope share. */
interface ScopeColumns extends ResourceColumns {
  readonly name: string;
  readonly version: string;
  readonly losses: RowLosses;
}

/**
 * Spans as rows of `otel_traces`, value for value as the Collector's ClickHouse exporter writes them.
 *
 * A span with an id of the wrong length, an all-zero id or a time the engine cannot hold is rejected alone.
 * Rows of one resource share its attribute map: consumers must not change it. Unknown kinds and status codes become
 * `Unspecified` and `Unset`.
 */
export function spanRowsFrom(traces: TracesData): RowBatch<SpanRow> {
  const batch = new RowBatchBuilder<SpanRow>();
  for (const { resource, scopeSpans } of traces.resourceSpans) {
    const losses = noLosses();
    const resourceAttributes = attributeMapFrom(resource.attributes, { column: "ResourceAttributes" }, losses);
    markLosses(resourceAttributes, losses);
    batch.countLosses(losses);
    const serviceName = resourceAttributes[ATTR_SERVICE_NAME] ?? "";
    for (const group of scopeSpans) addScope(batch, group, { serviceName, resourceAttributes });
  }
  return batch;
}

function addScope(batch: RowBatchBuilder<SpanRow>, group: ScopeSpans, resource: ResourceColumns): void {
  const losses = noLosses();
  const name = cutText(group.scope.name, { column: "ScopeName" }, losses);
  const version = cutText(group.scope.version, { column: "ScopeVersion" }, losses);
  const repeatedTexts = { serviceName: resource.serviceName, name, version };
  batch.repeat([resource.resourceAttributes, repeatedTexts], group.spans.length);
  batch.countLosses(losses);
  for (const span of group.spans) {
    const reason = rejectionOf(span);
    if (reason !== undefined) batch.reject(reason);
    else batch.rows.push(rowFrom(span, { ...resource, name, version, losses }, batch));
  }
}

/** Why a span cannot be stored; the reasons are few, so that they can be counted. */
function rejectionOf(span: Span): string | undefined {
  if (!isTraceId(span.traceId)) return "trace_id must be 16 bytes, not all zero (32 hex digits in JSON)";
  if (!isSpanId(span.spanId)) return "span_id must be 8 bytes, not all zero (16 hex digits in JSON)";
  if (optionalSpanId(span.parentSpanId) === undefined) return "parent_span_id must be 8 bytes or empty";
  if (!isStorableTime(span.startTimeUnixNano)) return `start_time_unix_nano ${TIME_RULE}`;
  for (const event of span.events) {
    if (!isStorableTime(event.timeUnixNano)) return `time_unix_nano of an event ${TIME_RULE}`;
  }
  for (const link of span.links) {
    if (optionalTraceId(link.traceId) === undefined) return "trace_id of a link must be 16 bytes or empty";
    if (optionalSpanId(link.spanId) === undefined) return "span_id of a link must be 8 bytes or empty";
  }
  return undefined;
}

function rowFrom(span: Span, scope: ScopeColumns, batch: RowBatchBuilder<SpanRow>): SpanRow {
  const losses = noLosses();
  const attributes = attributeMapFrom(span.attributes, { column: "SpanAttributes" }, losses);
  const row: SpanRow = {
    Timestamp: span.startTimeUnixNano.toString(),
    TraceId: span.traceId,
    SpanId: span.spanId,
    ParentSpanId: optionalSpanId(span.parentSpanId) ?? "",
    TraceState: cutText(span.traceState, { column: "TraceState" }, losses),
    SpanName: cutText(span.name, { column: "SpanName" }, losses),
    SpanKind: SPAN_KINDS[span.kind] ?? "Unspecified",
    ServiceName: scope.serviceName,
    ResourceAttributes: scope.resourceAttributes,
    ScopeName: scope.name,
    ScopeVersion: scope.version,
    SpanAttributes: attributes,
    Duration: durationOf(span),
    StatusCode: STATUS_CODES[span.status.code] ?? "Unset",
    StatusMessage: cutText(span.status.message, { column: "StatusMessage" }, losses),
    ...eventColumns(span.events, losses),
    ...linkColumns(span.links, losses),
  };
  batch.countLosses(losses);
  // The exporter stores no scope attributes for spans, so the scope's losses are named here too.
  losses.values.push(...scope.losses.values);
  markLosses(attributes, losses);
  return row;
}

/** Clocks that step back, and spans sent before they end, have no negative duration. */
function durationOf(span: Span): string {
  const duration = span.endTimeUnixNano - span.startTimeUnixNano;
  return duration > 0n ? duration.toString() : "0";
}

type EventColumns = Pick<SpanRow, "Events.Timestamp" | "Events.Name" | "Events.Attributes">;

function eventColumns(events: readonly SpanEvent[], losses: RowLosses): EventColumns {
  const timestamps: string[] = [];
  const names: string[] = [];
  const attributes: AttributeMap[] = [];
  for (const [index, event] of events.entries()) {
    timestamps.push(event.timeUnixNano.toString());
    names.push(cutText(event.name, { column: "Events.Name", index }, losses));
    attributes.push(attributeMapFrom(event.attributes, { column: "Events.Attributes", index }, losses));
  }
  return { "Events.Timestamp": timestamps, "Events.Name": names, "Events.Attributes": attributes };
}

type LinkColumns = Pick<SpanRow, "Links.TraceId" | "Links.SpanId" | "Links.TraceState" | "Links.Attributes">;

function linkColumns(links: readonly SpanLink[], losses: RowLosses): LinkColumns {
  const traceIds: string[] = [];
  const spanIds: string[] = [];
  const states: string[] = [];
  const attributes: AttributeMap[] = [];
  for (const [index, link] of links.entries()) {
    traceIds.push(optionalTraceId(link.traceId) ?? "");
    spanIds.push(optionalSpanId(link.spanId) ?? "");
    states.push(cutText(link.traceState, { column: "Links.TraceState", index }, losses));
    attributes.push(attributeMapFrom(link.attributes, { column: "Links.Attributes", index }, losses));
  }
  return {
    "Links.TraceId": traceIds,
    "Links.SpanId": spanIds,
    "Links.TraceState": states,
    "Links.Attributes": attributes,
  };
}
