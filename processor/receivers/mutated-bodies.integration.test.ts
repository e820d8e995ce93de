import { once } from "node:events";
import { type ClientHttp2Session, type IncomingHttpHeaders, connect as connectHttp2 } from "node:http2";
import { connect, createServer, type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { OTLPTraceExporter as GrpcTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeRecords } from "../../instrumentation/transport/record-span.ts";
import { ACCEPTED } from "../outcome.ts";
import { encodeLogsJson } from "../otlp/testing/encode-json.ts";
import { encodeLogsProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, nestedValue } from "../otlp/testing/model-builders.ts";
import { createByteBudget } from "./byte-budget.ts";
import { createOtlpGrpcReceiver, type OtlpGrpcReceiver } from "./otlp-grpc-receiver.ts";
import { createOtlpHandler } from "./otlp-handler.ts";
import { createOtlpHttpReceiver } from "./otlp-http-receiver.ts";
import { DEFAULT_RECEIVER_LIMITS } from "./receiver-limits.ts";
import { LOGS_METHOD, TRACES_METHOD } from "./testing/grpc-client.ts";
import { createRandom, mutateBytes } from "./testing/mutate-bytes.ts";

/** Bodies of real exporters, damaged. Whatever comes: no crash, no hang, and no answer that makes a sender drop more. */

const LONG = process.env["RUNPROOF_LONG_TESTS"] === "1";
const BODIES = LONG ? 200_000 : 20_000;
const TIMEOUT_MILLIS = LONG ? 1_200_000 : 180_000;
const SEED = 20_261_121;
const MAX_MILLIS = 1_000;

let seeds: { protobuf: Buffer[]; json: Buffer[] };
const defects: unknown[] = [];
const onUnexpectedError = (error: unknown): unknown => defects.push(error);
// Rows of 20,000 bodies are of no interest.
const sinks = { traces: { consume: async () => ACCEPTED }, logs: { consume: async () => ACCEPTED } };

async function seedsOfRealExporters(): Promise<typeof seeds> {
  const taken: typeof seeds = { protobuf: [], json: [] };
  const bodies = {
    consume: async ({ encoding, bytes }: { encoding: "protobuf" | "json"; bytes: Uint8Array }) => {
      taken[encoding].push(Buffer.from(bytes));
      return ACCEPTED;
    },
  };
  const http = createOtlpHttpReceiver({ port: 0, bodies });
  const grpc = createOtlpGrpcReceiver({ port: 0, bodies });
  await Promise.all([http.start(), grpc.start()]);
  const url = `http://127.0.0.1:${http.address().port}/v1/traces`;
  for (const exporter of [
    new JsonTraceExporter({ url }),
    new ProtobufTraceExporter({ url }),
    new GrpcTraceExporter({ url: `http://127.0.0.1:${grpc.address().port}` }),
  ]) {
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const span = provider.getTracer("seed", "1.0.0").startSpan("execute_tool search", {
      attributes: {
        text: "caf\u00e9 \u{1f600}",
        int: -5,
        double: 0.1,
        list: ["a", "b"],
        nested: { a: [1, { b: true }] },
      },
      links: [{ context: { traceId: "5b8efff798038103d269b633813fc60c", spanId: "00000000000000ff", traceFlags: 1 } }],
    });
    span.addEvent("exception", { "exception.type": "Error" });
    span.end();
    await provider.forceFlush();
    await provider.shutdown();
  }
  await Promise.all([http.shutdown(), grpc.shutdown()]);
  const log = logs([logRecord({ body: nestedValue(5, "kvlistValue"), attributes: [attribute("k", "v")] })]);
  taken.protobuf.push(Buffer.from(encodeLogsProtobuf(log)));
  const record = {
    traceId: "5b8efff798038103d269b633813fc60c",
    spanId: "eee19b7ec3c1b174",
    name: "runproof.run start",
  };
  const start = { ...record, timeUnixNano: "1", attributes: { "runproof.event": "start" } };
  taken.json.push(Buffer.from(encodeLogsJson(log)), Buffer.from(encodeRecords({ attributes: {} }, [start])));
  return taken;
}

beforeAll(async () => {
  seeds = await seedsOfRealExporters();
});

/** Runs what may be slow once more before it is called a hang: the machine may be busy. */
async function inTime(work: () => Promise<void>): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const started = performance.now();
    await work();
    if (performance.now() - started < MAX_MILLIS) return;
  }
  throw new Error(`a body takes longer than ${MAX_MILLIS} ms, twice`);
}

const perWire = Math.ceil(BODIES / 3);

describe(`${BODIES} damaged bodies`, () => {
  it.each(["protobuf", "json"] as const)(
    "of %s over HTTP are answered in time, and never with a 5xx but 503",
    async (encoding) => {
      expect(seeds[encoding].length).toBeGreaterThan(2);
      const handler = createOtlpHandler({
        ...sinks,
        limits: DEFAULT_RECEIVER_LIMITS,
        budget: createByteBudget(DEFAULT_RECEIVER_LIMITS.maxBytesInMemory),
        onUnexpectedError,
      });
      const random = createRandom(SEED);
      const counts = new Map<number, number>();
      const headers = { "content-type": encoding === "json" ? "application/json" : "application/x-protobuf" };
      for (let count = 0; count < perWire; count++) {
        const all = seeds[encoding];
        const mutated = mutateBytes(all[random(all.length)]!, random, all[random(all.length)]!);
        const gzip = random(10) === 0;
        const body = gzip ? mutateBytes(gzipSync(mutated), random, mutated).subarray() : mutated;
        const request = {
          method: "POST",
          url: random(2) === 0 ? "/v1/traces" : "/v1/logs",
          headers: { ...headers, ...(gzip && { "content-encoding": "gzip" }) },
          body,
        };
        await inTime(async () => {
          const { status } = await handler.handle(request);
          counts.set(status, (counts.get(status) ?? 0) + 1);
        });
      }
      expect(defects).toEqual([]);
      expect(new Set(counts.keys())).toEqual(new Set([200, 400]));
      // Some must survive their damage, or the decoders were hardly reached.
      expect(counts.get(200)).toBeGreaterThan(perWire / 50);
      expect(counts.get(400)).toBeGreaterThan(perWire / 10);
    },
    TIMEOUT_MILLIS,
  );
});

describe("damaged gRPC frames", () => {
  let grpc: OtlpGrpcReceiver;
  let port: number;
  let session: ClientHttp2Session;

  beforeAll(async () => {
    const limits = { headersTimeoutMillis: 2_000 };
    grpc = createOtlpGrpcReceiver({ port: 0, ...sinks, limits, onUnexpectedError });
    await grpc.start();
    port = grpc.address().port;
    session = connectHttp2(`http://127.0.0.1:${port}`);
  });

  afterAll(async () => {
    session.destroy();
    await grpc.shutdown();
  });

  function call(frame: Buffer, headers: Record<string, string> = {}): Promise<string> {
    const stream = session.request({
      ":method": "POST",
      ":path": TRACES_METHOD,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    return new Promise((resolve) => {
      const look = (answered: IncomingHttpHeaders): void => {
        const code = answered["grpc-status"];
        if (typeof code === "string") resolve(code);
      };
      stream.on("error", () => {});
      stream.on("response", look).on("trailers", look).resume();
      stream.once("close", () => resolve("reset"));
      stream.end(frame);
    });
  }

  function framed(body: Buffer, flag = 0): Buffer {
    const prefix = Buffer.alloc(5);
    prefix[0] = flag;
    prefix.writeUInt32BE(body.length, 1);
    return Buffer.concat([prefix, body]);
  }

  it(
    "are answered in time, with OK, INVALID_ARGUMENT or RESOURCE_EXHAUSTED",
    async () => {
      const random = createRandom(SEED + 1);
      const counts = new Map<string, number>();
      const WAVE = 50;
      for (let count = 0; count < perWire; count += WAVE) {
        const wave = Array.from({ length: WAVE }, () => {
          const all = seeds.protobuf;
          const mutated = mutateBytes(all[random(all.length)]!, random, all[random(all.length)]!);
          const gzip = random(4) === 0;
          const frame = gzip ? framed(gzipSync(mutated), 1) : framed(mutated);
          const damaged = random(4) === 0 ? mutateBytes(frame, random, frame) : frame;
          const headers = {
            ...(gzip && { "grpc-encoding": "gzip" }),
            ...(random(3) === 0 && { ":path": LOGS_METHOD }),
          };
          return { damaged, headers };
        });
        await inTime(async () => {
          for (const code of await Promise.all(wave.map(({ damaged, headers }) => call(damaged, headers)))) {
            counts.set(code, (counts.get(code) ?? 0) + 1);
          }
        });
      }
      expect(defects).toEqual([]);
      expect(["0", "3", "8"]).toEqual(expect.arrayContaining([...counts.keys()]));
      expect(counts.get("0")).toBeGreaterThan(perWire / 50);
      expect(counts.get("3")).toBeGreaterThan(perWire / 10);
    },
    TIMEOUT_MILLIS,
  );

  /** What a gRPC client writes into a connection that never answers. */
  async function connectionBytes(): Promise<Buffer> {
    const server = createServer();
    const chunks: Buffer[] = [];
    server.on("connection", (socket) => socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => {}));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on("error", () => {});
    const stream = client.request({ ":method": "POST", ":path": TRACES_METHOD, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.end(framed(seeds.protobuf[0]!));
    await expect.poll(() => Buffer.concat(chunks).length).toBeGreaterThan(seeds.protobuf[0]!.length);
    client.destroy();
    server.close();
    return Buffer.concat(chunks);
  }

  it(
    "down to the frames of HTTP/2 do not disturb the next client",
    async () => {
      const random = createRandom(SEED + 2);
      const seed = await connectionBytes();
      const connections = Math.ceil(perWire / 20);
      for (let count = 0; count < connections; count += 20) {
        await Promise.all(
          Array.from({ length: 20 }, async () => {
            const socket = connect(port, "127.0.0.1");
            socket.on("error", () => {}).resume();
            await once(socket, "connect");
            // The preface stays, or nothing else would be read.
            socket.end(Buffer.concat([seed.subarray(0, 24), mutateBytes(seed.subarray(24), random, seed)]));
            await Promise.race([once(socket, "close"), new Promise((resolve) => setTimeout(resolve, 100))]);
            socket.destroy();
          }),
        );
      }
      expect(defects).toEqual([]);
      expect(await call(framed(seeds.protobuf[0]!))).toBe("0");
    },
    TIMEOUT_MILLIS,
  );
});
