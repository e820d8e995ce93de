import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SPAN_COLUMNS, type SpanRow } from "./clickhouse/rows.ts";
import { loadServiceConfig } from "./config.ts";
import { type Service, startService } from "./service.ts";
import { createSdkConsumer, SDK_LINES, type SdkConsumer, type SdkLine } from "./testing/sdk-consumer.ts";

/**
 * What unmodified SDKs of both lines really send, in both encodings and compressed, is what any ClickHouse client reads
 * back. The programs import nothing of ours; only the standard variables point them here.
 */

const EMITTER = fileURLToPath(new URL("./testing/otel-emitter.mjs", import.meta.url));
const ENCODINGS = {
  JSON: "@opentelemetry/exporter-trace-otlp-http",
  protobuf: "@opentelemetry/exporter-trace-otlp-proto",
};

let directory: string;
let service: Service;
let client: ClickHouseClient;
let consumers: Record<SdkLine, SdkConsumer>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-otel-sdk-"));
  const dataDirectory = join(directory, "data");
  service = await startService(
    loadServiceConfig({}, { otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: "off", dataDirectory }),
  );
  client = createClient({ url: service.clickhouseUrl });
  const [two, three] = await Promise.all(SDK_LINES.map((line) => createSdkConsumer({ line })));
  consumers = { "2.x": two as SdkConsumer, "3.x": three as SdkConsumer };
});

afterAll(async () => {
  await client.close();
  await service.shutdown();
  await Promise.all(Object.values(consumers).map((consumer) => consumer.remove()));
  await rm(directory, { recursive: true, force: true });
});

interface Emitted {
  readonly traceId: string;
  readonly spanId: string;
  readonly linked: { readonly traceId: string; readonly spanId: string };
}

interface Case {
  readonly line: SdkLine;
  readonly encoding: keyof typeof ENCODINGS;
  readonly compression: "none" | "gzip";
}

async function emit({ line, encoding, compression }: Case, endpoint = service.otlpUrl): Promise<Emitted> {
  const ran = await consumers[line].run(EMITTER, [ENCODINGS[encoding]], {
    OTEL_SERVICE_NAME: "somebodys-agent",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,team=a%20b",
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_COMPRESSION: compression,
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
  });
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(ran.stdout) as Emitted;
}

/** A row as the client's JSON gives it. */
type StoredSpan = Omit<SpanRow, "Duration"> & { readonly Duration: number };

/** Stored spans of a trace by name. */
async function stored(traceId: string): Promise<Map<string, StoredSpan>> {
  await service.idle();
  const query = `SELECT ${SPAN_COLUMNS.map((column) => `\`${column}\``).join(", ")} FROM otel_traces WHERE TraceId = {id:String}`;
  const result = await client.query({ query, query_params: { id: traceId }, format: "JSONEachRow" });
  const rows = await result.json<StoredSpan>();
  expect(rows).toHaveLength(new Set(rows.map((row) => row.SpanName)).size);
  return new Map(rows.map((row) => [row.SpanName, row]));
}

const CASES = SDK_LINES.flatMap((line) =>
  (["JSON", "protobuf"] as const).flatMap((encoding) =>
    (["none", "gzip"] as const).map((compression): Case => ({ line, encoding, compression })),
  ),
);

/** Attribute values both lines take, as the Collector's ClickHouse exporter writes them. */
const PLAIN = {
  text: "caf\u00e9 \u{1f600} \0 <b>&\n\n; DROP TABLE otel_traces",
  empty: "",
  flag: "true",
  int: "319",
  negative: "-5",
  "int.largest": "9007199254740991",
  double: "0.1",
  "double.small": "1e-7",
  texts: '["a","b"]',
  numbers: "[1,2.5,-3]",
  flags: "[true,false]",
  nothing: "[]",
};
/** SDK 2.x drops these without a word. */
const STRUCTURED = {
  nested: '{"a":{"x":"y"},"b":[1,{"deep":true}]}',
  "nested.list": '[{"role":"user"}]',
  bytes: "AP8B",
};

describe.each(CASES)("SDK $line, $encoding, compression $compression", (given) => {
  it("is read back as it was emitted", async () => {
    const emitted = await emit(given);
    const rows = await stored(emitted.traceId);
    const root = rows.get("root");
    expect(root).toMatchObject({
      Timestamp: "2026-11-21 06:24:05.995000001",
      Duration: 1_005_000_002,
      SpanId: emitted.spanId,
      ParentSpanId: "",
      TraceState: "",
      SpanKind: "Client",
      ServiceName: "somebodys-agent",
      ScopeName: "somebody",
      ScopeVersion: "4.5.6",
      StatusCode: "Error",
      StatusMessage: "boom",
      "Events.Timestamp": ["2026-11-21 06:24:06.000000007", "2026-11-21 06:24:06.000000008"],
      "Events.Name": ["exception", "bare"],
      "Events.Attributes": [{ "exception.type": "Error", count: "2" }, {}],
    });
    expect(root?.SpanAttributes).toEqual(given.line === "2.x" ? PLAIN : { ...PLAIN, ...STRUCTURED });
    expect(root?.ResourceAttributes).toMatchObject({
      "service.name": "somebodys-agent",
      "deployment.environment.name": "test",
      team: "a b",
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.version": expect.stringMatching(given.line === "2.x" ? /^2\./ : /^3\./),
    });
    const kinds = [...rows.values()].filter((row) => row.ParentSpanId === emitted.spanId);
    expect(kinds.map((row) => `${row.SpanName}: ${row.SpanKind} ${row.StatusCode}`).sort()).toEqual([
      "child CLIENT: Client Unset",
      "child CONSUMER: Consumer Unset",
      "child INTERNAL: Internal Unset",
      "child PRODUCER: Producer Unset",
      "child SERVER: Server Ok",
    ]);
    expect(root).toMatchObject({
      "Links.TraceId": [emitted.linked.traceId],
      "Links.SpanId": [emitted.linked.spanId],
      "Links.TraceState": [""],
      "Links.Attributes": [{ why: "retry", attempt: "2" }],
    });
  });
});

it.each(SDK_LINES)("the emitter of SDK %s really sends what its case says", async (line) => {
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push([request.headers["content-type"], request.headers["content-encoding"]]);
    request.resume().on("end", () => response.end());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await emit({ line, encoding: "JSON", compression: "gzip" }, endpoint);
  await emit({ line, encoding: "protobuf", compression: "none" }, endpoint);
  server.close();
  expect(seen).toEqual([
    ["application/json", "gzip"],
    ["application/x-protobuf", undefined],
  ]);
});
