import type { ResourceSpans, ScopeSpans, Span, SpanEvent, SpanLink, Status, TracesData } from "./model.ts";
import { NODES_PER_EVENT_OR_LINK, NODES_PER_GROUP, NODES_PER_SPAN } from "./node-budget.ts";
import { readKeyValue, readResource, readScope } from "./protobuf-common.ts";
import { ProtobufReader } from "./protobuf-reader.ts";

/** Decodes a protobuf `ExportTraceServiceRequest`. @throws OtlpDecodeError, and nothing else. */
export function decodeTracesProtobuf(body: Uint8Array): TracesData {
  const reader = new ProtobufReader(body);
  const traces: TracesData = { resourceSpans: [] };
  while (reader.nextField()) {
    if (reader.field === 1) traces.resourceSpans.push(decodeResourceSpans(reader));
    else reader.skip();
  }
  return traces;
}

/** Decodes one `Span` message. @throws OtlpDecodeError, and nothing else. */
export function decodeSpanProtobuf(message: Uint8Array): Span {
  const reader = new ProtobufReader(message);
  reader.nodes.take(NODES_PER_SPAN);
  const span = emptySpan();
  while (reader.nextField()) readSpanField(reader, span);
  return span;
}

function decodeResourceSpans(reader: ProtobufReader): ResourceSpans {
  reader.nodes.take(NODES_PER_GROUP);
  const group: ResourceSpans = { resource: { attributes: [] }, scopeSpans: [], schemaUrl: "" };
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        readResource(reader, group.resource);
        break;
      case 2:
        group.scopeSpans.push(decodeScopeSpans(reader));
        break;
      case 3:
        group.schemaUrl = reader.string();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return group;
}

function decodeScopeSpans(reader: ProtobufReader): ScopeSpans {
  reader.nodes.take(NODES_PER_GROUP);
  const group: ScopeSpans = { scope: { name: "", version: "", attributes: [] }, spans: [], schemaUrl: "" };
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        readScope(reader, group.scope);
        break;
      case 2:
        group.spans.push(decodeSpan(reader));
        break;
      case 3:
        group.schemaUrl = reader.string();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return group;
}

const emptySpan = (): Span => ({
  traceId: "",
  spanId: "",
  traceState: "",
  parentSpanId: "",
  name: "",
  kind: 0,
  startTimeUnixNano: 0n,
  endTimeUnixNano: 0n,
  attributes: [],
  events: [],
  links: [],
  status: { message: "", code: 0 },
});

function decodeSpan(reader: ProtobufReader): Span {
  reader.nodes.take(NODES_PER_SPAN);
  const span = emptySpan();
  const outerEnd = reader.enter();
  while (reader.nextField()) readSpanField(reader, span);
  reader.leave(outerEnd);
  return span;
}

function readSpanField(reader: ProtobufReader, span: Span): void {
  switch (reader.field) {
    case 1:
      span.traceId = reader.hex();
      return;
    case 2:
      span.spanId = reader.hex();
      return;
    case 3:
      span.traceState = reader.string();
      return;
    case 4:
      span.parentSpanId = reader.hex();
      return;
    case 5:
      span.name = reader.string();
      return;
    case 6:
      span.kind = reader.int32();
      return;
    case 7:
      span.startTimeUnixNano = reader.fixed64();
      return;
    case 8:
      span.endTimeUnixNano = reader.fixed64();
      return;
    case 9:
      readKeyValue(reader, span.attributes);
      return;
    case 11:
      span.events.push(decodeEvent(reader));
      return;
    case 13:
      span.links.push(decodeLink(reader));
      return;
    case 15:
      readStatus(reader, span.status);
      return;
    default:
      reader.skip();
  }
}

function decodeEvent(reader: ProtobufReader): SpanEvent {
  reader.nodes.take(NODES_PER_EVENT_OR_LINK);
  const event: SpanEvent = { timeUnixNano: 0n, name: "", attributes: [] };
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        event.timeUnixNano = reader.fixed64();
        break;
      case 2:
        event.name = reader.string();
        break;
      case 3:
        readKeyValue(reader, event.attributes);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return event;
}

function decodeLink(reader: ProtobufReader): SpanLink {
  reader.nodes.take(NODES_PER_EVENT_OR_LINK);
  const link: SpanLink = { traceId: "", spanId: "", traceState: "", attributes: [] };
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        link.traceId = reader.hex();
        break;
      case 2:
        link.spanId = reader.hex();
        break;
      case 3:
        link.traceState = reader.string();
        break;
      case 4:
        readKeyValue(reader, link.attributes);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return link;
}

function readStatus(reader: ProtobufReader, status: Status): void {
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 2:
        status.message = reader.string();
        break;
      case 3:
        status.code = reader.int32();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
}
