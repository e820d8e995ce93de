import protobuf from "protobufjs";
import { SPAN_KINDS, STATUS_CODES, type AttributeMap } from "../processor/clickhouse/rows.ts";
import { OTLP_TRACE_PROTO } from "./otlp-proto.ts";

/** The usual way from a request to rows: a protobuf library makes objects, a loop makes rows of them. */

type Long = protobuf.Long;

interface AnyValue {
  readonly value?: keyof AnyValue;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: Long;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  readonly bytesValue?: Uint8Array;
}

interface KeyValue {
  readonly key: string;
  readonly value?: AnyValue;
}

interface Span {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly traceState: string;
  readonly parentSpanId: Uint8Array;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: Long;
  readonly endTimeUnixNano: Long;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly {
    readonly timeUnixNano: Long;
    readonly name: string;
    readonly attributes: readonly KeyValue[];
  }[];
  readonly links: readonly {
    readonly traceId: Uint8Array;
    readonly spanId: Uint8Array;
    readonly traceState: string;
    readonly attributes: readonly KeyValue[];
  }[];
  readonly status?: { readonly message: string; readonly code: number };
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name: string; readonly version: string };
      readonly spans: readonly Span[];
    }[];
  }[];
}

const requestType = protobuf.parse(OTLP_TRACE_PROTO).root.lookupType("ExportTraceServiceRequest");

/** @throws Error for bytes that are not a request */
export function usualRows(body: Uint8Array): object[] {
  const request = requestType.decode(body) as unknown as Request;
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const resourceAttributes = attributesOf(resource?.attributes ?? []);
    return scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        ServiceName: resourceAttributes["service.name"] ?? "",
        ResourceAttributes: resourceAttributes,
        ScopeName: scope?.name ?? "",
        ScopeVersion: scope?.version ?? "",
        ...spanFields(span),
      })),
    );
  });
}

function spanFields(span: Span): object {
  const start = nanos(span.startTimeUnixNano);
  return {
    Timestamp: dateTime(start),
    TraceId: hex(span.traceId),
    SpanId: hex(span.spanId),
    ParentSpanId: hex(span.parentSpanId),
    TraceState: span.traceState,
    SpanName: span.name,
    SpanKind: SPAN_KINDS[span.kind] ?? "Unspecified",
    SpanAttributes: attributesOf(span.attributes),
    Duration: String(nanos(span.endTimeUnixNano) - start),
    StatusCode: STATUS_CODES[span.status?.code ?? 0] ?? "Unset",
    StatusMessage: span.status?.message ?? "",
    "Events.Timestamp": span.events.map((event) => dateTime(nanos(event.timeUnixNano))),
    "Events.Name": span.events.map((event) => event.name),
    "Events.Attributes": span.events.map((event) => attributesOf(event.attributes)),
    "Links.TraceId": span.links.map((link) => hex(link.traceId)),
    "Links.SpanId": span.links.map((link) => hex(link.spanId)),
    "Links.TraceState": span.links.map((link) => link.traceState),
    "Links.Attributes": span.links.map((link) => attributesOf(link.attributes)),
  };
}

/** The library gives an array for bytes that were not sent. */
const hex = (bytes: Uint8Array): string =>
  bytes.length === 0 ? "" : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

const nanos = ({ low, high }: Long): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** Seconds with nine digits, as ClickHouse reads a `DateTime64(9)`. */
const dateTime = (time: bigint): string => `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, "0")}`;

const attributesOf = (attributes: readonly KeyValue[]): AttributeMap =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, textOf(value)]));

function textOf(value: AnyValue | undefined): string {
  switch (value?.value) {
    case "stringValue":
      return value.stringValue ?? "";
    case undefined:
      return "";
    case "boolValue":
    case "doubleValue":
    case "intValue":
      return String(plainOf(value));
    default:
      return JSON.stringify(plainOf(value));
  }
}

function plainOf(value: AnyValue | undefined): unknown {
  switch (value?.value) {
    case "intValue":
      return Number(value.intValue);
    case "arrayValue":
      return value.arrayValue?.values.map(plainOf);
    case "kvlistValue":
      return Object.fromEntries(value.kvlistValue?.values.map((item) => [item.key, plainOf(item.value)]) ?? []);
    case "bytesValue":
      return Buffer.from(value.bytesValue ?? []).toString("base64");
    case undefined:
      return null;
    default:
      // The members that were not sent have defaults.
      return value?.[value.value];
  }
}
