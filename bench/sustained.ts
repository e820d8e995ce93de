/**
 * `node bench/sustained.ts [seconds] [spans/s]`: the service in a process of its own under a steady load, then the count:
 * everything acknowledged is stored and visible once. Prints one line of JSON.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createStore } from "../processor/clickhouse/store.ts";
import type { LoadOptions, LoadReport } from "./load-generator.ts";

const [seconds = 60, spansPerSecond = 10_000] = process.argv.slice(2).map(Number);
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const work = await mkdtemp(join(tmpdir(), "runproof-sustained-"));
const args = ["serve", "--port", "0", "--grpc-port", "0", "--clickhouse-port", "0", "--data-dir", join(work, "data")];
const service = spawn(process.execPath, [path("../replay/cli.ts"), ...args], { stdio: ["ignore", "pipe", "inherit"] });

const ready = await new Promise<string>((resolve) => {
  let text = "";
  service.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (/data {2,}/.test(text)) resolve(text);
  });
});
const urlOf = (name: string): string => new RegExp(`${name}\\s+(\\S+)`).exec(ready)?.[1] ?? "";
const children = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.trim().split(" ").filter(Boolean).map(Number);
};
/** Resident memory of the service and its engine, MiB. */
async function residentMiB(): Promise<number> {
  const pid = service.pid ?? 0;
  let kib = 0;
  for (const one of [pid, ...(await children(pid))]) {
    const status = await readFile(`/proc/${one}/status`, "utf8").catch(() => "");
    kib += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  return Math.round(kib / 1_024);
}

const memory: number[] = [];
const watch = setInterval(() => void residentMiB().then((value) => memory.push(value)), 1_000);
const options: LoadOptions = {
  httpUrl: urlOf("OTLP/HTTP"),
  grpcUrl: urlOf("OTLP/gRPC"),
  spansPerSecond,
  seconds,
  seed: 1,
};
const generator = spawn(process.execPath, [path("./load-generator.ts"), JSON.stringify(options)], {
  stdio: ["ignore", "pipe", "inherit"],
});
const chunks: Buffer[] = [];
generator.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
await new Promise((resolve) => generator.once("close", resolve));
const report = JSON.parse(Buffer.concat(chunks).toString()) as LoadReport;

const store = createStore({ url: urlOf("ClickHouse") });
const count = async (): Promise<{ rows: number; distinct: number }> => {
  const sql =
    "SELECT count() AS rows, uniqExact(TraceId, SpanId) AS distinct FROM otel_traces WHERE ServiceName = 'load'";
  const [row] = await store.query<{ rows: number; distinct: number }>(sql);
  return row ?? { rows: 0, distinct: 0 };
};
const drained = performance.now();
let stored = await count();
while (stored.distinct < report.acknowledgedSpans && performance.now() - drained < 120_000) {
  await new Promise((resolve) => setTimeout(resolve, 250));
  stored = await count();
}
clearInterval(watch);
const quantile = (share: number): number =>
  Math.round((report.ackMillis[Math.floor(report.ackMillis.length * share)] ?? 0) * 10) / 10;
const middle = memory.slice(Math.floor(memory.length / 3));
console.log(
  JSON.stringify({
    seconds: Math.round(report.seconds),
    spans_per_second: Math.round(report.acknowledgedSpans / report.seconds),
    sent: report.sentSpans,
    acknowledged: report.acknowledgedSpans,
    stored_rows: stored.rows,
    stored_distinct: stored.distinct,
    retries: report.retries,
    refused: report.refused,
    ack_p50_ms: quantile(0.5),
    ack_p99_ms: quantile(0.99),
    drain_seconds: Math.round((performance.now() - drained) / 100) / 10,
    rss_max_mib: Math.max(...memory),
    rss_after_warm_up_mib: [Math.min(...middle), Math.max(...middle)],
  }),
);
await store.close();
service.kill("SIGTERM");
await new Promise((resolve) => service.once("exit", resolve));
await rm(work, { recursive: true, force: true });
