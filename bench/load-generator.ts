/**
 * A sender of its own process: `node bench/load-generator.ts <json options>`. Sends export requests of 100 small agent
 * spans with 20 attributes at a steady pace, half over HTTP and half over gRPC, gzip, retries what is to be retried, and
 * reports what was acknowledged.
 */
import { request as httpRequest, Agent } from "node:http";
import { gzipSync } from "node:zlib";
import { Client, compressionAlgorithms, credentials, Metadata } from "@grpc/grpc-js";
import { encodeTracesProtobuf } from "../processor/otlp/testing/encode-protobuf.ts";

export interface LoadOptions {
  readonly httpUrl: string;
  readonly grpcUrl: string;
  readonly spansPerSecond: number;
  readonly seconds: number;
  /** Part of every trace id, so that generators do not repeat each other. */
  readonly seed: number;
}

export interface LoadReport {
  readonly sentSpans: number;
  readonly acknowledgedSpans: number;
  readonly retries: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Milliseconds from send to acknowledgement, sorted. */
  readonly ackMillis: readonly number[];
  readonly seconds: number;
}

const BATCH = 100;
const options = JSON.parse(process.argv[2] ?? "{}") as LoadOptions;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const grpc = new Client(options.grpcUrl.replace(/^http:\/\//, ""), credentials.createInsecure(), {
  "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
});
const report = { sentSpans: 0, acknowledgedSpans: 0, retries: 0, refused: {} as Record<string, number> };
const ackMillis: number[] = [];

const kv = (key: string, stringValue: string) => ({ key, value: { type: "stringValue" as const, value: stringValue } });

const MARK = Buffer.alloc(16, 0xab);

/** One request of which only the trace id changes, so that making it costs the machine next to nothing. */
function template(): { readonly bytes: Buffer; readonly places: readonly number[] } {
  const now = BigInt(Date.now()) * 1_000_000n;
  const traceId = MARK.toString("hex");
  const attributes = Array.from({ length: 20 }, (_, index) =>
    kv(`app.attribute.${index}`, `value ${index} of some length`),
  );
  const spans = Array.from({ length: BATCH }, (_, index) => ({
    traceId,
    spanId: (index + 1).toString(16).padStart(16, "0"),
    traceState: "",
    parentSpanId: "",
    flags: 0,
    name: `step ${index % 10}`,
    kind: 1,
    startTimeUnixNano: now + BigInt(index),
    endTimeUnixNano: now + BigInt(index) + 1_000_000n,
    attributes,
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: "" },
  }));
  const resource = { attributes: [kv("service.name", "load")], droppedAttributesCount: 0 };
  const scope = { name: "load", version: "1", attributes: [], droppedAttributesCount: 0 };
  const model = { resourceSpans: [{ resource, schemaUrl: "", scopeSpans: [{ scope, schemaUrl: "", spans }] }] };
  const bytes = Buffer.from(encodeTracesProtobuf(model as unknown as Parameters<typeof encodeTracesProtobuf>[0]));
  const places: number[] = [];
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 16)) places.push(at);
  return { bytes, places };
}

const { bytes: made, places } = template();

/** The trace id tells generator and batch. */
function body(batch: number): Uint8Array {
  const bytes = Buffer.from(made);
  for (const at of places) {
    bytes.fill(0, at, at + 16);
    bytes.writeUInt32BE(options.seed, at);
    bytes.writeUInt32BE(batch + 1, at + 12);
  }
  return bytes;
}

const postHttp = (bytes: Uint8Array): Promise<string> =>
  new Promise((resolve) => {
    const headers = { "content-type": "application/x-protobuf", "content-encoding": "gzip" };
    const sending = httpRequest(`${options.httpUrl}/v1/traces`, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200 ? "ok" : `http ${response.statusCode}`));
    });
    sending.once("error", (error) => resolve(`http ${error.message}`));
    sending.end(gzipSync(bytes, { level: 1 }));
  });

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const postGrpc = (bytes: Uint8Array): Promise<string> =>
  new Promise((resolve) => {
    const identity = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    grpc.makeUnaryRequest(
      EXPORT,
      identity,
      (value: Buffer) => value,
      bytes,
      new Metadata(),
      (error) => resolve(error === null ? "ok" : `grpc ${error.code}`),
    );
  });

async function send(batch: number): Promise<void> {
  const bytes = body(batch);
  report.sentSpans += BATCH;
  for (let attempt = 0; attempt < 100; attempt++) {
    const started = performance.now();
    const outcome = await (batch % 2 === 0 ? postHttp(bytes) : postGrpc(bytes));
    if (outcome === "ok") {
      ackMillis.push(performance.now() - started);
      report.acknowledgedSpans += BATCH;
      return;
    }
    report.retries++;
    report.refused[outcome] = (report.refused[outcome] ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const began = performance.now();
const batches = Math.floor((options.spansPerSecond * options.seconds) / BATCH);
const pending = new Set<Promise<void>>();
for (let batch = 0; batch < batches; batch++) {
  const due = began + (batch * BATCH * 1_000) / options.spansPerSecond;
  const early = due - performance.now();
  if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
  const sending = send(batch).finally(() => pending.delete(sending));
  pending.add(sending);
  if (pending.size >= 64) await Promise.race(pending);
}
await Promise.all(pending);
const seconds = (performance.now() - began) / 1_000;
const result: LoadReport = { ...report, ackMillis: ackMillis.toSorted((a, b) => a - b), seconds };
process.stdout.write(JSON.stringify(result), () => process.exit(0));
