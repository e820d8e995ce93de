import type { HrTime } from "../sdk-span.ts";
import { AttributeEncoder } from "./attribute-encoder.ts";
import type { ExportedEvent, ExportedLink, ExportedScope, ExportedSpan, ExportedSpanContext } from "./exported-span.ts";
import { ProtobufBuffer } from "./protobuf-buffer.ts";

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/**
 * Encodes spans as OTLP's `ExportTraceServiceRequest`, byte for byte as OpenTelemetry's own exporter does, which reads
 * every text three times letter by letter: of a call without content that took 12 of 40 µs. Tags are written as the
 * bytes they are: field number times eight, and wire type.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export class SpanEncoder {
  readonly #buffer = new ProtobufBuffer();
  readonly #attributes = new AttributeEncoder(this.#buffer);

  encode(spans: readonly ExportedSpan[]): Uint8Array {
    const buffer = this.#buffer;
    // Not at the end: what one request could not be made of must not get into the next.
    buffer.clear();
    for (const [resource, scopes] of byResource(spans)) {
      buffer.byte(0x0a);
      buffer.message(() => {
        buffer.byte(0x0a);
        buffer.message(() => {
          this.#attributes.write(0x0a, resource.attributes);
          this.#count(0x10, 0);
        });
        for (const [scope, own] of scopes) {
          buffer.byte(0x12);
          buffer.message(() => this.#scopeSpans(scope, own));
        }
        this.#textIfAny(0x1a, resource.schemaUrl);
      });
    }
    return buffer.since(0);
  }

  #scopeSpans(scope: ExportedScope, spans: readonly ExportedSpan[]): void {
    const buffer = this.#buffer;
    buffer.byte(0x0a);
    buffer.message(() => {
      this.#text(0x0a, scope.name);
      this.#textIfAny(0x12, scope.version);
      this.#attributes.write(0x1a, scope.attributes ?? {});
      if (scope.droppedAttributesCount) this.#count(0x20, scope.droppedAttributesCount);
    });
    for (const span of spans) {
      buffer.byte(0x12);
      const start = buffer.open();
      this.#span(span);
      buffer.close(start);
    }
    this.#textIfAny(0x1a, scope.schemaUrl);
  }

  #span(span: ExportedSpan): void {
    const buffer = this.#buffer;
    const own = span.spanContext();
    const parent = span.parentSpanContext;
    this.#ids(own);
    if (parent?.spanId) {
      buffer.byte(0x22);
      buffer.hex(parent.spanId);
    }
    this.#text(0x2a, span.name);
    this.#count(0x30, span.kind + 1);
    this.#time(0x39, span.startTime);
    this.#time(0x41, span.endTime);
    this.#attributes.write(0x4a, span.attributes);
    this.#count(0x50, span.droppedAttributesCount);
    for (const event of span.events) this.#event(event);
    this.#count(0x60, span.droppedEventsCount);
    for (const link of span.links) this.#link(link);
    this.#count(0x70, span.droppedLinksCount);
    this.#status(span.status);
    // A field number beyond 15 takes a second byte.
    buffer.byte(0x85);
    buffer.byte(0x01);
    buffer.fixed32(flagsOf(own.traceFlags, parent?.isRemote));
  }

  #status({ code, message }: ExportedSpan["status"]): void {
    this.#buffer.byte(0x7a);
    const start = this.#buffer.open();
    this.#textIfAny(0x12, message);
    this.#count(0x18, code);
    this.#buffer.close(start);
  }

  #event(event: ExportedEvent): void {
    this.#buffer.byte(0x5a);
    this.#buffer.message(() => {
      this.#time(0x09, event.time);
      this.#text(0x12, event.name);
      this.#attributes.write(0x1a, event.attributes ?? {});
      this.#count(0x20, event.droppedAttributesCount ?? 0);
    });
  }

  #link({ context, attributes, droppedAttributesCount }: ExportedLink): void {
    this.#buffer.byte(0x6a);
    this.#buffer.message(() => {
      this.#ids(context);
      this.#attributes.write(0x22, attributes ?? {});
      this.#count(0x28, droppedAttributesCount ?? 0);
      this.#buffer.byte(0x35);
      this.#buffer.fixed32(flagsOf(context.traceFlags, context.isRemote));
    });
  }

  #ids({ traceId, spanId, traceState }: ExportedSpanContext): void {
    this.#buffer.byte(0x0a);
    this.#buffer.hex(traceId);
    this.#buffer.byte(0x12);
    this.#buffer.hex(spanId);
    this.#textIfAny(0x1a, traceState?.serialize());
  }

  #text(tag: number, text: string): void {
    this.#buffer.byte(tag);
    this.#buffer.text(text);
  }

  #textIfAny(tag: number, text: string | undefined): void {
    if (text !== undefined && text !== "") this.#text(tag, text);
  }

  #count(tag: number, count: number): void {
    this.#buffer.byte(tag);
    this.#buffer.integer(count);
  }

  #time(tag: number, time: HrTime): void {
    this.#buffer.byte(tag);
    this.#buffer.nanos(time);
  }
}

const flagsOf = (traceFlags: number, isRemote = false): number =>
  (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);

type Scopes = Map<ExportedScope, ExportedSpan[]>;

function byResource(spans: readonly ExportedSpan[]): Map<ExportedSpan["resource"], Scopes> {
  const resources = new Map<ExportedSpan["resource"], Scopes>();
  for (const span of spans) {
    const scopes: Scopes = resources.get(span.resource) ?? new Map();
    if (scopes.size === 0) resources.set(span.resource, scopes);
    const own = scopes.get(span.instrumentationScope);
    if (own === undefined) scopes.set(span.instrumentationScope, [span]);
    else own.push(span);
  }
  return resources;
}
