import { constants, createGzip } from "node:zlib";
import { createByteBudget } from "../byte-budget.ts";
import { createOtlpHandler } from "../otlp-handler.ts";
import { DEFAULT_RECEIVER_LIMITS } from "../receiver-limits.ts";
import { createRecordingConsumer } from "./recording-consumer.ts";

/**
 * Sends one hostile body with the default limits and prints `{status, millis, grownBytes}` as JSON. It runs as a process
 * of its own, because the peak of resident memory only ever grows.
 */

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

async function gzipOfSpaces(inflatedBytes: number): Promise<Buffer> {
  const gzip = createGzip({ level: constants.Z_BEST_COMPRESSION });
  const block = Buffer.alloc(MIB, " ");
  const packed: Buffer[] = [];
  gzip.on("data", (chunk: Buffer) => packed.push(chunk));
  for (let written = 0; written < inflatedBytes; written += MIB) {
    if (!gzip.write(block)) await new Promise((resolve) => gzip.once("drain", resolve));
  }
  gzip.end();
  await new Promise((resolve) => gzip.once("end", resolve));
  return Buffer.concat(packed);
}

async function lyingBomb(): Promise<Buffer> {
  const bomb = await gzipOfSpaces(GIB);
  bomb.writeUInt32LE(100, bomb.length - 4);
  return bomb;
}

const attributes = '{"key":"k","value":{"boolValue":true}}';

const bodies: Record<string, () => Promise<Buffer> | Buffer> = {
  "gzip-bomb": () => gzipOfSpaces(GIB),
  "lying-gzip-bomb": lyingBomb,
  "deep-json": () => Buffer.alloc(5_000_000, "["),
  "deep-json-objects": () => Buffer.from('{"a":'.repeat(5_000_000)),
  "many-json-attributes": () =>
    Buffer.from(`{"resourceSpans":[{"resource":{"attributes":[${`${attributes},`.repeat(1_500_000)}]}}]}`),
  "empty-spans": () => {
    const spans = Buffer.alloc(8 * MIB, Uint8Array.of(0x12, 0x00));
    const scope = Buffer.concat([Uint8Array.of(0x12, 0x80, 0x80, 0x80, 0x04), spans]);
    return Buffer.concat([Uint8Array.of(0x0a, 0x85, 0x80, 0x80, 0x04), scope]);
  },
};

const name = process.argv[2] ?? "";
const make = bodies[name];
if (make === undefined) throw new Error(`unknown body ${name}`);
const body = await make();
const handler = createOtlpHandler({
  traces: createRecordingConsumer(),
  logs: createRecordingConsumer(),
  limits: DEFAULT_RECEIVER_LIMITS,
  budget: createByteBudget(DEFAULT_RECEIVER_LIMITS.maxBytesInMemory),
  onUnexpectedError: (error) => console.error(error),
});
const type = name === "empty-spans" ? "application/x-protobuf" : "application/json";
const headers = { "content-type": type, ...(name.includes("gzip") && { "content-encoding": "gzip" }) };
const peakBefore = process.resourceUsage().maxRSS;
const started = performance.now();
const reply = await handler.handle({ method: "POST", url: "/v1/traces", headers, body });
const millis = Math.round(performance.now() - started);
// The peak may lie before the request, while the body was made; then this is 0.
const grownBytes = (process.resourceUsage().maxRSS - peakBefore) * 1024;
console.log(JSON.stringify({ status: reply.status, millis, grownBytes }));
