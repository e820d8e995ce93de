import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import type { SpanRow } from "../../clickhouse/rows.ts";

/** Spans that follow from their number alone, so that what is stored can be compared with what was sent at any time. */

export const SPANS_PER_BATCH = 5;

/** 2026-11-21T06:24:05Z. */
const FIRST_SECOND = 1_795_242_245;
const LINKED_TRACE = "5b8efff798038103d269b633813fc60c";

const traceIdOf = (batch: number): string => (batch + 1).toString(16).padStart(32, "0");
const spanIdOf = (index: number): string => (index + 1).toString(16).padStart(16, "0");

/** The batch and place that ids speak of. */
export const numbersOf = ({ TraceId, SpanId }: SpanRow): { readonly batch: number; readonly index: number } => ({
  batch: Number.parseInt(TraceId, 16) - 1,
  index: Number.parseInt(SpanId, 16) - 1,
});

/** A batch as the SDK of OpenTelemetry JS gives it to an exporter: one root and its children. */
export function numberedBatch(batch: number): ReadableSpan[] {
  const made: ReadableSpan[] = [];
  let next = 0;
  const provider = new TracerProvider({
    idGenerator: { generateTraceId: () => traceIdOf(batch), generateSpanId: () => spanIdOf(next++) },
    spanProcessors: [
      {
        onStart: () => {},
        onEnd: (span: ReadableSpan) => void made.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer("faults", "1.2.3");
  for (let index = 0; index < SPANS_PER_BATCH; index++) {
    const link = { context: { traceId: LINKED_TRACE, spanId: spanIdOf(index), traceFlags: 1 }, attributes: { index } };
    const span = tracer.startSpan(`step ${index}`, {
      kind: SpanKind.CLIENT,
      startTime: [FIRST_SECOND + batch, index],
      attributes: { text: `batch ${batch} é 🙂\0`, batch, share: 0.1 * index, first: index === 0, list: ["a", "b"] },
      links: index === 1 ? [link] : [],
    });
    if (index === 2) span.addEvent("exception", { batch }, [FIRST_SECOND + batch, 7]);
    if (index === 3) span.setStatus({ code: SpanStatusCode.ERROR, message: `broken ${batch}` });
    span.end([FIRST_SECOND + batch, 1_000 + batch]);
  }
  return made;
}

/** The row that this span has to be. */
export function expectedRow(batch: number, index: number, resource: SpanRow["ResourceAttributes"]): SpanRow {
  const second = String(FIRST_SECOND + batch);
  const time = (nanos: number): string => second + String(nanos).padStart(9, "0");
  const hasEvent = index === 2;
  const hasLink = index === 1;
  return {
    Timestamp: time(index),
    TraceId: traceIdOf(batch),
    SpanId: spanIdOf(index),
    ParentSpanId: "",
    TraceState: "",
    SpanName: `step ${index}`,
    SpanKind: "Client",
    ServiceName: resource["service.name"] ?? "",
    ResourceAttributes: resource,
    ScopeName: "faults",
    ScopeVersion: "1.2.3",
    SpanAttributes: {
      text: `batch ${batch} é 🙂\0`,
      batch: String(batch),
      share: String(0.1 * index),
      first: String(index === 0),
      list: '["a","b"]',
    },
    Duration: String(1_000 + batch - index),
    StatusCode: index === 3 ? "Error" : "Unset",
    StatusMessage: index === 3 ? `broken ${batch}` : "",
    "Events.Timestamp": hasEvent ? [time(7)] : [],
    "Events.Name": hasEvent ? ["exception"] : [],
    "Events.Attributes": hasEvent ? [{ batch: String(batch) }] : [],
    "Links.TraceId": hasLink ? [LINKED_TRACE] : [],
    "Links.SpanId": hasLink ? [spanIdOf(index)] : [],
    "Links.TraceState": hasLink ? [""] : [],
    "Links.Attributes": hasLink ? [{ index: String(index) }] : [],
  };
}
