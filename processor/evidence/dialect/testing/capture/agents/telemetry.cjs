// Sets up OpenTelemetry of the installed major as a service would, and gives back a flush.
const { trace, context, ...api } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const { TracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { LoggerProvider, BatchLogRecordProcessor } = require("@opentelemetry/sdk-logs");
const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-http");

const collector = process.env.COLLECTOR_URL;
const resource = resourceFromAttributes({ "service.name": "city-guide-service" });
const major3 = api.logs !== undefined;

const spans = new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${collector}/v1/traces` }) });
const provider = new TracerProvider({ resource, spanProcessors: [spans] });
const logExporter = new OTLPLogExporter({ url: `${collector}/v1/logs` });
const records = major3
  ? new BatchLogRecordProcessor({ exporter: logExporter })
  : new BatchLogRecordProcessor(logExporter);
const loggers = new LoggerProvider({ resource, processors: [records] });
trace.setGlobalTracerProvider(provider);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
(major3 ? api.logs : require("@opentelemetry/api-logs").logs).setGlobalLoggerProvider(loggers);

exports.provider = provider;
exports.flush = async () => {
  await spans.forceFlush();
  await records.forceFlush();
};
/** What a service's own code puts around its agent. */
exports.withRoot = (work) =>
  trace.getTracer("city-guide-service").startActiveSpan("POST /ask", async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
