import { decodeLogsProtobuf, decodeTracesProtobuf, logRowsFrom, spanRowsFrom } from "../../otlp/index.ts";
import type { LogsData, TracesData } from "../../otlp/model.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, span, traces } from "../../otlp/testing/model-builders.ts";

/** Spans that can be told apart by name, with what a span can have. */
export const tracesNamed = (...names: readonly string[]): TracesData =>
  traces(
    names.map((name) =>
      span({
        name,
        traceState: "a=b",
        parentSpanId: "00f067aa0ba902b7",
        attributes: [attribute("n", { type: "intValue", value: 12n }), attribute("text", "größe")],
        events: [{ timeUnixNano: 5n, name: "event", attributes: [attribute("k", "v")] }],
        links: [
          { traceId: "5b8efff798038103d269b633813fc60d", spanId: "eee19b7ec3c1b175", traceState: "", attributes: [] },
        ],
        status: { message: "why", code: 2 },
      }),
    ),
    [attribute("service.name", "agent")],
  );

export const logsNamed = (...names: readonly string[]): LogsData =>
  logs(
    names.map((name) => logRecord({ eventName: name, body: { type: "stringValue", value: `said ${name}` } })),
    [attribute("service.name", "agent")],
  );

/** What a store makes of them. */
export const spanRows = (model: TracesData) => spanRowsFrom(decodeTracesProtobuf(encodeTracesProtobuf(model))).rows;
export const logRows = (model: LogsData) => logRowsFrom(decodeLogsProtobuf(encodeLogsProtobuf(model))).rows;

/** One span with so many bytes. */
export const largeTrace = (name: string, bytes: number): Uint8Array =>
  encodeTracesProtobuf(traces([span({ name, attributes: [attribute("filler", "x".repeat(bytes))] })]));
