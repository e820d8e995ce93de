import { diag, DiagLogLevel, logs as logsApi, SeverityNumber, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { SimpleSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { createOtlpGrpcReceiver, type OtlpGrpcReceiver } from "./otlp-grpc-receiver.ts";
import { createOtlpHttpReceiver, type OtlpHttpReceiver } from "./otlp-http-receiver.ts";
import { createRecordingConsumer, type RecordingConsumer } from "./testing/recording-consumer.ts";

/** What the exporters of OpenTelemetry JS 3.x really send, in both encodings and over gRPC, becomes the same rows. */

let receiver: OtlpHttpReceiver;
let grpcReceiver: OtlpGrpcReceiver;
let spans: RecordingConsumer<SpanRow>;
let records: RecordingConsumer<LogRow>;
let url: string;
let grpcUrl: string;

beforeEach(async () => {
  spans = createRecordingConsumer();
  records = createRecordingConsumer();
  receiver = createOtlpHttpReceiver({ port: 0, traces: spans, logs: records });
  await receiver.start();
  url = `http://127.0.0.1:${receiver.address().port}`;
  grpcReceiver = createOtlpGrpcReceiver({ port: 0, traces: spans, logs: records });
  await grpcReceiver.start();
  grpcUrl = `http://127.0.0.1:${grpcReceiver.address().port}`;
});

afterEach(() => Promise.all([receiver.shutdown(), grpcReceiver.shutdown()]));

const TRACE_ID = "5b8efff798038103d269b633813fc60c";
/** 2026-11-21T06:24:05.995000001Z as the SDK's `[seconds, nanoseconds]`. */
const START: [number, number] = [1_795_242_245, 995_000_001];
const END: [number, number] = [1_795_242_247, 3];

const ATTRIBUTES = {
  text: "caf\u00e9 \u{1f600} \0 <b>&",
  empty: "",
  flag: true,
  int: 319,
  negative: -5,
  "int.largest": Number.MAX_SAFE_INTEGER,
  double: 0.1,
  "double.small": 1e-7,
  texts: ["a", "b"],
  numbers: [1, 2.5, -3],
  nothing: [],
  bytes: Uint8Array.of(0, 255, 1),
  nested: { b: [1, { deep: true }], a: { x: null }, __proto__: undefined },
  constructor: "a hostile key",
} as const;

/** Makes one root, one child with everything, and exports both. Ids are fixed, so that two runs compare equal. */
async function exportSpans(exporter: SpanExporter): Promise<void> {
  let next = 0;
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    idGenerator: {
      generateTraceId: () => TRACE_ID,
      generateSpanId: () => (++next).toString(16).padStart(16, "a"),
    },
  });
  const tracer = provider.getTracer("golden", "1.2.3");
  const link = {
    context: { traceId: TRACE_ID, spanId: "00000000000000ff", traceFlags: 1 },
    attributes: { why: "retry" },
  };
  const span = tracer.startSpan("execute_tool search", {
    kind: SpanKind.CLIENT,
    startTime: START,
    attributes: ATTRIBUTES,
    links: [link],
  });
  span.addEvent("exception", { "exception.type": "Error", count: 2 }, [1_795_242_246, 7]);
  span.setStatus({ code: SpanStatusCode.ERROR, message: "boom" });
  span.end(END);
  for (const kind of [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER]) {
    tracer.startSpan(`kind ${kind}`, { kind, startTime: START }).end(END);
  }
  await provider.forceFlush();
  await provider.shutdown();
}

const traceExporters: [string, () => SpanExporter][] = [
  ["JSON", () => new JsonTraceExporter({ url: `${url}/v1/traces` })],
  ["protobuf", () => new ProtobufTraceExporter({ url: `${url}/v1/traces` })],
  ["gRPC", () => new GrpcTraceExporter({ url: grpcUrl })],
];

describe.each(traceExporters)("spans of the %s exporter", (_name, createExporter) => {
  it("become rows with every attribute, event, link, time and status", async () => {
    await exportSpans(createExporter());
    const row = spans.rows.find(({ SpanName }) => SpanName === "execute_tool search");
    expect(row).toMatchObject({
      Timestamp: "1795242245995000001",
      Duration: "1005000002",
      TraceId: TRACE_ID,
      SpanId: "aaaaaaaaaaaaaaa1",
      ParentSpanId: "",
      SpanKind: "Client",
      StatusCode: "Error",
      StatusMessage: "boom",
      ScopeName: "golden",
      ScopeVersion: "1.2.3",
      "Events.Timestamp": ["1795242246000000007"],
      "Events.Name": ["exception"],
      "Events.Attributes": [{ "exception.type": "Error", count: "2" }],
      "Links.TraceId": [TRACE_ID],
      "Links.SpanId": ["00000000000000ff"],
      "Links.Attributes": [{ why: "retry" }],
    });
    expect({ ...row?.SpanAttributes }).toEqual({
      text: "caf\u00e9 \u{1f600} \0 <b>&",
      empty: "",
      flag: "true",
      int: "319",
      negative: "-5",
      "int.largest": "9007199254740991",
      double: "0.1",
      "double.small": "1e-7",
      texts: '["a","b"]',
      numbers: "[1,2.5,-3]",
      nothing: "[]",
      bytes: "AP8B",
      nested: '{"a":{"x":null},"b":[1,{"deep":true}]}',
      constructor: "a hostile key",
    });
    expect(row?.ServiceName).toMatch(/^unknown_service/);
    expect(row?.ResourceAttributes["telemetry.sdk.language"]).toBe("nodejs");
    const kinds = spans.rows.map(({ SpanKind: kind }) => kind).sort();
    expect(kinds).toEqual(["Client", "Consumer", "Internal", "Producer", "Server"]);
  });
});

it("the JSON, protobuf and gRPC exporters, plain and gzip, give equal rows for the same spans", async () => {
  const taken: string[] = [];
  const gzip = { url: `${url}/v1/traces`, compression: "gzip" as never };
  const gzipped = [new ProtobufTraceExporter(gzip), new GrpcTraceExporter({ ...gzip, url: grpcUrl })];
  for (const exporter of [...traceExporters.map(([, create]) => create()), ...gzipped]) {
    await exportSpans(exporter);
    const rows = spans.rows.splice(0).sort((a, b) => a.SpanName.localeCompare(b.SpanName));
    taken.push(JSON.stringify(rows));
  }
  expect(taken[0]).toContain("execute_tool search");
  expect(taken).toEqual(taken.map(() => taken[0]));
  expect(taken).toHaveLength(5);
});

it("a number beyond 2^53 is kept as each encoding sends it: JSON rounds it to the shortest digits", async () => {
  const values: (string | undefined)[] = [];
  for (const [, create] of traceExporters) {
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: create() })] });
    provider
      .getTracer("golden")
      .startSpan("x", { attributes: { large: 2 ** 60, huge: 1e300 } })
      .end();
    await provider.forceFlush();
    await provider.shutdown();
    values.push(spans.rows.pop()?.SpanAttributes["large"]);
  }
  expect(values).toEqual(["1152921504606847000", "1152921504606846976", "1152921504606846976"]);
});

/** The log exporters come with the SDK, configured by the environment as an agent would. */
async function exportLogs(protocol: "http/json" | "http/protobuf" | "grpc"): Promise<void> {
  const environment = {
    OTEL_TRACES_EXPORTER: "none",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "otlp",
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc" ? grpcUrl : url,
  };
  const before = { ...process.env };
  Object.assign(process.env, environment);
  const sdk = new NodeSDK({ serviceName: "agent", autoDetectResources: false });
  sdk.start();
  process.env = before;
  const logger = logsApi.getLogger("golden", "1.2.3");
  const time = { timestamp: START, observedTimestamp: END };
  logger.emit({
    ...time,
    eventName: "gen_ai.evaluation.result",
    severityNumber: SeverityNumber.WARN,
    severityText: "WARN",
    body: { z: [1, "two"], a: null },
    attributes: ATTRIBUTES,
  });
  logger.emit({ ...time, body: "plain text" });
  await sdk.shutdown();
  logsApi.disable();
}

describe.each(["http/json", "http/protobuf", "grpc"] as const)("log records of the SDK over %s", (protocol) => {
  it("become rows with body, severity, event name and attributes", async () => {
    await exportLogs(protocol);
    expect(records.rows).toHaveLength(2);
    expect(records.rows[0]).toMatchObject({
      Timestamp: "1795242245995000001",
      TraceId: "",
      SpanId: "",
      SeverityText: "WARN",
      SeverityNumber: 13,
      ServiceName: "agent",
      Body: '{"a":null,"z":[1,"two"]}',
      ScopeName: "golden",
      ScopeVersion: "1.2.3",
      EventName: "gen_ai.evaluation.result",
    });
    expect(records.rows[0]?.LogAttributes["nested"]).toBe('{"a":{"x":null},"b":[1,{"deep":true}]}');
    expect(records.rows[0]?.LogAttributes["bytes"]).toBe("AP8B");
    expect(records.rows[1]?.Body).toBe("plain text");
  });
});

it("both encodings and gRPC give equal rows for the same log records", async () => {
  await exportLogs("http/json");
  const json = JSON.stringify(records.rows.splice(0));
  for (const protocol of ["http/protobuf", "grpc"] as const) {
    await exportLogs(protocol);
    expect(JSON.stringify(records.rows.splice(0))).toBe(json);
  }
});

it.each(["HTTP", "gRPC"])("an exporter over %s understands a partial success and does not retry it", async (wire) => {
  const warnings: string[] = [];
  const ignore = () => {};
  const logger = {
    error: ignore,
    info: ignore,
    debug: ignore,
    verbose: ignore,
    warn: (...args: unknown[]) => warnings.push(args.join(" ")),
  };
  diag.setLogger(logger, DiagLogLevel.WARN);
  let calls = 0;
  spans.answer = () => {
    calls++;
    return { status: "partial", rejected: 1, message: "quota reached" };
  };
  const exporter =
    wire === "HTTP" ? new ProtobufTraceExporter({ url: `${url}/v1/traces` }) : new GrpcTraceExporter({ url: grpcUrl });
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  provider.getTracer("golden").startSpan("x").end();
  await provider.forceFlush();
  await provider.shutdown();
  diag.disable();
  expect(calls).toBe(1);
  expect(warnings.join("\n")).toContain("quota reached");
});
