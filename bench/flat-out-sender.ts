/**
 * A sender of its own process: `node bench/flat-out-sender.ts <json options>`. Sends prepared export requests over kept
 * connections, the next as soon as one is answered, and reports what was acknowledged.
 */
import { request as httpRequest, Agent } from "node:http";
import { gzipSync } from "node:zlib";
import { rounded } from "./figures.ts";
import { prepareBodies } from "./prepared-bodies.ts";

export interface FlatOutOptions {
  readonly httpUrl: string;
  readonly seconds: number;
  /** Requests on their way at a time. */
  readonly inFlight: number;
  readonly gzip: boolean;
  /** Whether the spans belong to runs that are to be judged. */
  readonly runs: boolean;
}

export interface FlatOutReport {
  readonly sentSpans: number;
  readonly acknowledgedSpans: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Milliseconds from send to acknowledgement. */
  readonly ackMillis: readonly number[];
  /** Since the epoch, milliseconds, with fractions. */
  readonly startedAt: number;
  readonly seconds: number;
  /** Processor time of this process while it sent, over that time. */
  readonly cores: number;
}

const REQUESTS = 40;
const RUNS_PER_REQUEST = 42;
/** Compressing while sending would cost more than the service does. */
const GZIP_PASSES = 4;

const options = JSON.parse(process.argv[2] ?? "{}") as FlatOutOptions;
const bodies = prepareBodies({ requests: REQUESTS, runsPerRequest: RUNS_PER_REQUEST, runs: options.runs });
const agent = new Agent({ keepAlive: true, maxSockets: options.inFlight });
const headers = {
  "content-type": "application/x-protobuf",
  ...(options.gzip ? { "content-encoding": "gzip" } : {}),
};
const zipped = options.gzip
  ? Array.from({ length: REQUESTS * GZIP_PASSES }, (_, number) => gzipSync(plain(number)))
  : [];
const report = { sentSpans: 0, acknowledgedSpans: 0, refused: {} as Record<string, number> };
const ackMillis: number[] = [];
let next = 0;

function plain(number: number): Buffer {
  const target = Buffer.alloc(bodies.maxBytes);
  return target.subarray(0, bodies.copy(number, target));
}

const post = (body: Uint8Array): Promise<string> =>
  new Promise((resolve) => {
    const sending = httpRequest(`${options.httpUrl}/v1/traces`, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200 ? "ok" : `http ${response.statusCode}`));
    });
    sending.once("error", (error) => resolve(`http ${error.message}`));
    sending.setHeader("content-length", body.length);
    sending.end(body);
  });

async function lane(end: number): Promise<void> {
  const target = Buffer.alloc(bodies.maxBytes);
  while (performance.now() < end) {
    const number = next++;
    const body = options.gzip ? zipped[number % zipped.length]! : target.subarray(0, bodies.copy(number, target));
    report.sentSpans += bodies.spansPerBody;
    const sentAt = performance.now();
    const outcome = await post(body);
    if (outcome === "ok") {
      ackMillis.push(rounded(performance.now() - sentAt, 1));
      report.acknowledgedSpans += bodies.spansPerBody;
    } else {
      report.refused[outcome] = (report.refused[outcome] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const began = performance.now();
const cpu = process.cpuUsage();
await Promise.all(Array.from({ length: options.inFlight }, () => lane(began + options.seconds * 1_000)));
const seconds = (performance.now() - began) / 1_000;
const { user, system } = process.cpuUsage(cpu);
const result: FlatOutReport = {
  ...report,
  ackMillis,
  startedAt: performance.timeOrigin + began,
  seconds,
  cores: (user + system) / 1e6 / seconds,
};
process.stdout.write(JSON.stringify(result), () => process.exit(0));
