import { decodeAttributes, decodeResource, decodeScope } from "./json-common.ts";
import { parseJsonDocument } from "./json-document.ts";
import { type JsonObject, objectFrom, readArray, readHexId } from "./json-fields.ts";
import { readObject, readString, readUint32, readUint64 } from "./json-fields.ts";
import type { ResourceSpans, ScopeSpans, Span, SpanEvent, SpanLink, Status, TracesData } from "./model.ts";
import { NODES_PER_EVENT_OR_LINK, NODES_PER_GROUP, NODES_PER_SPAN, NodeBudget } from "./node-budget.ts";

/** Decodes an OTLP/JSON `ExportTraceServiceRequest`. Unknown fields are ignored. @throws OtlpDecodeError, and nothing else. */
export function decodeTracesJson(body: Uint8Array): TracesData {
  const document = parseJsonDocument(body);
  const nodes = new NodeBudget();
  const resourceSpans: ResourceSpans[] = [];
  for (const item of readArray(document, "resourceSpans")) {
    resourceSpans.push(decodeResourceSpans(objectFrom(item, "resourceSpans"), nodes));
  }
  return { resourceSpans };
}

function decodeResourceSpans(object: JsonObject, nodes: NodeBudget): ResourceSpans {
  nodes.take(NODES_PER_GROUP);
  const scopeSpans: ScopeSpans[] = [];
  for (const item of readArray(object, "scopeSpans")) {
    scopeSpans.push(decodeScopeSpans(objectFrom(item, "scopeSpans"), nodes));
  }
  return { resource: decodeResource(object, nodes), scopeSpans, schemaUrl: readString(object, "schemaUrl") };
}

function decodeScopeSpans(object: JsonObject, nodes: NodeBudget): ScopeSpans {
  nodes.take(NODES_PER_GROUP);
  const spans: Span[] = [];
  for (const item of readArray(object, "spans")) spans.push(decodeSpan(objectFrom(item, "spans"), nodes));
  return { scope: decodeScope(object, nodes), spans, schemaUrl: readString(object, "schemaUrl") };
}

function decodeSpan(object: JsonObject, nodes: NodeBudget): Span {
  nodes.take(NODES_PER_SPAN);
  return {
    traceId: readHexId(object, "traceId"),
    spanId: readHexId(object, "spanId"),
    traceState: readString(object, "traceState"),
    parentSpanId: readHexId(object, "parentSpanId"),
    name: readString(object, "name"),
    kind: readUint32(object, "kind"),
    startTimeUnixNano: readUint64(object, "startTimeUnixNano"),
    endTimeUnixNano: readUint64(object, "endTimeUnixNano"),
    attributes: decodeAttributes(object, nodes),
    events: decodeEvents(object, nodes),
    links: decodeLinks(object, nodes),
    status: decodeStatus(object),
  };
}

function decodeEvents(span: JsonObject, nodes: NodeBudget): SpanEvent[] {
  const events: SpanEvent[] = [];
  for (const item of readArray(span, "events")) {
    nodes.take(NODES_PER_EVENT_OR_LINK);
    const event = objectFrom(item, "events");
    events.push({
      timeUnixNano: readUint64(event, "timeUnixNano"),
      name: readString(event, "name"),
      attributes: decodeAttributes(event, nodes),
    });
  }
  return events;
}

function decodeLinks(span: JsonObject, nodes: NodeBudget): SpanLink[] {
  const links: SpanLink[] = [];
  for (const item of readArray(span, "links")) {
    nodes.take(NODES_PER_EVENT_OR_LINK);
    const link = objectFrom(item, "links");
    links.push({
      traceId: readHexId(link, "traceId"),
      spanId: readHexId(link, "spanId"),
      traceState: readString(link, "traceState"),
      attributes: decodeAttributes(link, nodes),
    });
  }
  return links;
}

function decodeStatus(span: JsonObject): Status {
  const status = readObject(span, "status");
  if (status === undefined) return { message: "", code: 0 };
  return { message: readString(status, "message"), code: readUint32(status, "code") };
}
