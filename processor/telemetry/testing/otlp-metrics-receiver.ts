import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import protobuf from "protobufjs";

/** What the tests look at of `opentelemetry/proto/metrics/v1/metrics.proto` (v1.11.0), field numbers as there. */
const PROTO = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message NumberDataPoint {
  fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
  oneof number { double as_double = 4; sfixed64 as_int = 6; } repeated KeyValue attributes = 7;
}
message HistogramDataPoint {
  fixed64 count = 4; double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7;
  repeated KeyValue attributes = 9;
}
message Gauge { repeated NumberDataPoint data_points = 1; }
message Sum { repeated NumberDataPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramDataPoint data_points = 1; int32 aggregation_temporality = 2; }
message Metric {
  string name = 1; string description = 2; string unit = 3;
  oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; }
}
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
`;

export interface ReceivedPoint {
  readonly labels: Readonly<Record<string, string>>;
  /** Of a histogram its count. */
  readonly value: number;
}

export interface ReceivedMetric {
  readonly kind: "gauge" | "sum" | "histogram";
  readonly unit: string;
  readonly points: readonly ReceivedPoint[];
}

export interface OtlpMetricsReceiver {
  readonly url: string;
  /** The newest of each name. */
  readonly metrics: ReadonlyMap<string, ReceivedMetric>;
  readonly resource: Readonly<Record<string, string>>;
  /** Bodies of `/v1/traces`. */
  readonly traces: readonly Uint8Array[];
  close(): Promise<void>;
}

interface KeyValues {
  readonly key: string;
  readonly value?: { readonly stringValue?: string };
}
interface DecodedPoint {
  readonly attributes?: readonly KeyValues[];
  readonly asDouble?: number;
  readonly asInt?: string;
  readonly count?: string;
}
interface DecodedMetric {
  readonly name: string;
  readonly unit?: string;
  readonly gauge?: { readonly dataPoints: readonly DecodedPoint[] };
  readonly sum?: { readonly dataPoints: readonly DecodedPoint[] };
  readonly histogram?: { readonly dataPoints: readonly DecodedPoint[] };
}
interface Decoded {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValues[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly DecodedMetric[] }[];
  }[];
}

const labelsOf = (attributes: readonly KeyValues[] = []): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value?.stringValue ?? ""]));

/** A backend that takes OTLP/HTTP protobuf and decodes it with a library that is not ours. */
export async function startOtlpMetricsReceiver(): Promise<OtlpMetricsReceiver> {
  const requestType = protobuf.parse(PROTO).root.lookupType("ExportMetricsServiceRequest");
  const metrics = new Map<string, ReceivedMetric>();
  const resource: Record<string, string> = {};
  const traces: Uint8Array[] = [];
  const take = (body: Uint8Array): void => {
    const decoded = requestType.toObject(requestType.decode(body), { longs: String }) as unknown as Decoded;
    for (const one of decoded.resourceMetrics) {
      Object.assign(resource, labelsOf(one.resource.attributes));
      for (const metric of one.scopeMetrics.flatMap((scope) => scope.metrics)) {
        const kind = metric.gauge ? "gauge" : metric.sum ? "sum" : "histogram";
        const points = (metric[kind]?.dataPoints ?? []).map(({ attributes, asDouble, asInt, count }) => ({
          labels: labelsOf(attributes),
          value: Number(asDouble ?? asInt ?? count ?? 0),
        }));
        metrics.set(metric.name, { kind, unit: metric.unit ?? "", points });
      }
    }
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const raw = Buffer.concat((await request.toArray()) as Buffer[]);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    if (request.url === "/v1/metrics") take(body);
    if (request.url === "/v1/traces") traces.push(body);
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    metrics,
    resource,
    traces,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
