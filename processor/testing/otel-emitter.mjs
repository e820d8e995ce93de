// An instrumented program that has never heard of runproof: its own OpenTelemetry SDK, whichever line is installed beside
// it, set up by the standard variables alone. Argument: the exporter's package. Prints the ids the SDK made.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";

const { OTLPTraceExporter } = await import(process.argv[2]);
const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter() });
sdk.start();

const tracer = trace.getTracer("somebody", "4.5.6");
const START = [1_795_242_245, 995_000_001];
const END = [1_795_242_247, 3];

const attributes = {
  text: "caf\u00e9 \u{1f600} \0 <b>&\n\n; DROP TABLE otel_traces",
  empty: "",
  flag: true,
  int: 319,
  negative: -5,
  "int.largest": Number.MAX_SAFE_INTEGER,
  double: 0.1,
  "double.small": 1e-7,
  texts: ["a", "b"],
  numbers: [1, 2.5, -3],
  flags: [true, false],
  nothing: [],
  nested: { b: [1, { deep: true }], a: { x: "y" } },
  "nested.list": [{ role: "user" }],
  bytes: Uint8Array.of(0, 255, 1),
};

const linked = tracer.startSpan("linked", { startTime: START });
linked.end(END);
const root = tracer.startSpan("root", {
  kind: SpanKind.CLIENT,
  startTime: START,
  attributes,
  links: [{ context: linked.spanContext(), attributes: { why: "retry", attempt: 2 } }],
});
root.addEvent("exception", { "exception.type": "Error", count: 2 }, [1_795_242_246, 7]);
root.addEvent("bare", undefined, [1_795_242_246, 8]);
root.setStatus({ code: SpanStatusCode.ERROR, message: "boom" });
for (const [name, kind] of Object.entries(SpanKind).filter(([, value]) => typeof value === "number")) {
  const child = tracer.startSpan(`child ${name}`, { kind, startTime: START }, trace.setSpan(ROOT_CONTEXT, root));
  if (name === "SERVER") child.setStatus({ code: SpanStatusCode.OK });
  child.end(END);
}
root.end(END);
await sdk.shutdown();

const { traceId, spanId } = root.spanContext();
process.stdout.write(JSON.stringify({ traceId, spanId, linked: linked.spanContext() }));
