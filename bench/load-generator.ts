/**
 * A sender of its own process: `node bench/load-generator.ts <json options>`. Sends batches of 100 spans with 20 attributes
 * at a steady pace, half over HTTP and half over gRPC, gzip, sends again what is to be sent again, and reports what was
 * acknowledged when, and how long verdicts took to become readable.
 */
import { request as httpRequest, Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Client, compressionAlgorithms, credentials, Metadata } from "@grpc/grpc-js";
import { rounded } from "./figures.ts";
import { BATCH_SPANS, createSteadyBatches, type SteadyBatchesOptions } from "./steady-batches.ts";
import { createVerdictProbe, type VerdictReport } from "./verdict-probe.ts";

export interface LoadOptions extends SteadyBatchesOptions {
  readonly httpUrl: string;
  readonly grpcUrl: string;
  /** Where verdicts are read. */
  readonly clickhouseUrl: string;
  readonly spansPerSecond: number;
  readonly seconds: number;
}

export interface LoadReport {
  readonly sentBatches: number;
  /** Batches that were never acknowledged. */
  readonly unacknowledged: readonly number[];
  readonly refused: Readonly<Record<string, number>>;
  /** One entry per acknowledged batch: milliseconds since the epoch, and from its last sending until then. */
  readonly acknowledgements: readonly (readonly [at: number, millis: number])[];
  /** When something was refused, milliseconds since the epoch. */
  readonly refusedAt: readonly number[];
  readonly verdicts: VerdictReport;
  readonly seconds: number;
  /** Processor time of this process over that time. */
  readonly cores: number;
}

const MAX_PENDING = 64;
const RETRY_MILLIS = 200;
const MAX_ATTEMPTS = 1_500;
const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const options = JSON.parse(process.argv[2] ?? "{}") as LoadOptions;
const batches = createSteadyBatches(options);
const verdicts = createVerdictProbe(options.clickhouseUrl);
const agent = new Agent({ keepAlive: true, maxSockets: MAX_PENDING });
const grpc = new Client(options.grpcUrl.replace(/^http:\/\//, ""), credentials.createInsecure(), {
  "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
});
const unacknowledged: number[] = [];
const refused: Record<string, number> = {};
const acknowledgements: [number, number][] = [];
const refusedAt: number[] = [];

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

const asBuffer = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);
const postGrpc = (bytes: Uint8Array): Promise<string> =>
  new Promise((resolve) => {
    grpc.makeUnaryRequest(EXPORT, asBuffer, asBuffer, bytes, new Metadata(), (error) =>
      resolve(error === null ? "ok" : `grpc ${error.code}`),
    );
  });

async function send(batch: number): Promise<void> {
  const bytes = batches.body(batch);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const sentAt = performance.now();
    const outcome = await (batch % 2 === 0 ? postHttp(bytes) : postGrpc(bytes));
    if (outcome === "ok") {
      acknowledgements.push([Math.round(Date.now()), rounded(performance.now() - sentAt, 1)]);
      verdicts.acknowledged(batches.runIds(batch).at(-1));
      return;
    }
    refused[outcome] = (refused[outcome] ?? 0) + 1;
    refusedAt.push(Date.now());
    await sleep(RETRY_MILLIS);
  }
  unacknowledged.push(batch);
}

const began = performance.now();
const cpu = process.cpuUsage();
const sentBatches = Math.floor((options.spansPerSecond * options.seconds) / BATCH_SPANS);
const pending = new Set<Promise<void>>();
for (let batch = 0; batch < sentBatches; batch++) {
  const due = began + (batch * BATCH_SPANS * 1_000) / options.spansPerSecond;
  const early = due - performance.now();
  if (early > 1) await sleep(early);
  const sending = send(batch).finally(() => pending.delete(sending));
  pending.add(sending);
  if (pending.size >= MAX_PENDING) await Promise.race(pending);
}
await Promise.all(pending);
const seconds = (performance.now() - began) / 1_000;
const { user, system } = process.cpuUsage(cpu);
const result: LoadReport = {
  sentBatches,
  unacknowledged,
  refused,
  acknowledgements,
  refusedAt,
  verdicts: await verdicts.finish(),
  seconds,
  cores: rounded((user + system) / 1e6 / seconds, 2),
};
process.stdout.write(JSON.stringify(result), () => process.exit(0));
