import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { InMemorySpanExporter, SimpleSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { expect, it } from "vitest";
import type { SpanRow } from "./clickhouse/rows.ts";
import { createOtlpHttpReceiver } from "./receivers/otlp-http-receiver.ts";
import { createRecordingConsumer } from "./receivers/testing/recording-consumer.ts";
import { spanRowFromSdkSpan } from "./span-row-from-sdk-span.ts";

const START: [number, number] = [1_795_242_245, 995_000_001];

/** One root with everything, and one child of each kind. */
async function emitTo(...exporters: SpanExporter[]): Promise<TracerProvider> {
  const spanProcessors = exporters.map((exporter) => new SimpleSpanProcessor({ exporter }));
  const provider = new TracerProvider({ spanProcessors });
  const tracer = provider.getTracer("agent", "1.2.3");
  const attributes = { text: 'caf\u00e9 \0 {"a":1}', empty: "", int: 3, double: 1e-7, large: 3_600.5, flag: false };
  const root = tracer.startSpan("root", { kind: SpanKind.CLIENT, startTime: START, attributes });
  root.setStatus({ code: SpanStatusCode.ERROR, message: "boom" });
  root.end([1_795_242_247, 3]);
  for (const kind of [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER]) {
    const child = tracer.startSpan(`kind ${kind}`, { kind, startTime: START });
    child.setStatus({ code: SpanStatusCode.OK });
    child.end([1_795_242_245, 995_000_002]);
  }
  await provider.forceFlush();
  return provider;
}

it("a span in the agent reads as it will read after its way over the wire", async () => {
  const traces = createRecordingConsumer<SpanRow>();
  const receiver = createOtlpHttpReceiver({ port: 0, traces, logs: createRecordingConsumer() });
  await receiver.start();
  const here = new InMemorySpanExporter();
  const url = `http://127.0.0.1:${receiver.address().port}/v1/traces`;
  const provider = await emitTo(here, new OTLPTraceExporter({ url }));
  const inProcess = here.getFinishedSpans().map(spanRowFromSdkSpan);
  await provider.shutdown();
  await receiver.shutdown();
  const byName = (rows: readonly SpanRow[]): unknown[] =>
    rows.map((row) => JSON.parse(JSON.stringify(row))).sort((a, b) => (a.SpanName < b.SpanName ? -1 : 1));
  expect(inProcess).toHaveLength(5);
  expect(byName(inProcess)).toEqual(byName(traces.rows));
});

it("a child names its parent", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const parent = provider.getTracer("agent").startSpan("parent");
  provider.getTracer("agent").startSpan("child", {}, trace.setSpan(ROOT_CONTEXT, parent)).end();
  const [child] = exporter.getFinishedSpans();
  expect(child && spanRowFromSdkSpan(child)).toMatchObject({
    ParentSpanId: parent.spanContext().spanId,
    ScopeName: "agent",
    ScopeVersion: "",
  });
});

it("attribute values that are no text are left out, whatever they are", () => {
  const circular: Record<string, unknown> = {};
  circular["itself"] = circular;
  const attributes = {
    circular,
    list: [1],
    bytes: new Uint8Array(2),
    big: 1n,
    nothing: null,
    none: undefined,
    kept: "x",
  };
  const row = spanRowFromSdkSpan({
    name: "any",
    kind: 99,
    spanContext: () => ({ traceFlags: 1, traceId: "t", spanId: "s" }),
    startTime: [1, 2],
    duration: [0, 0],
    status: { code: 99 },
    attributes,
    resource: { attributes: {} },
    instrumentationScope: { name: "" },
  });
  expect(row.SpanAttributes).toEqual({ kept: "x" });
  expect(row).toMatchObject({ ServiceName: "", SpanKind: "Unspecified", StatusCode: "Unset", Timestamp: "1000000002" });
});
