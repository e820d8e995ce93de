import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Collector, runProgram, until } from "./collector.ts";
import { quantile, rounded } from "./figures.ts";
import type { FlatOutOptions, FlatOutReport } from "./flat-out-sender.ts";

export interface FlatOutResult {
  readonly spansPerSecond: number;
  /** Of the service and its engine, until the last span was stored. */
  readonly cpuMicrosPerSpan: number;
  readonly ackP50Millis: number;
  readonly ackP99Millis: number;
  readonly residentPeakMiB: number;
  /** From the end of sending until all was stored. */
  readonly drainSeconds: number;
  readonly engineCpuShare: number;
  readonly senderCores: number;
  readonly refused: number;
}

export type FlatOutLoad = Omit<FlatOutOptions, "httpUrl">;

/** The first requests compile code and start the engine's threads. */
const WARM_UP_SECONDS = 2;
const MAX_DRAIN_MILLIS = 180_000;

/**
 * A collector under all the load it takes, then until the last acknowledged span is readable: the time counts until then.
 * @throws Error when acknowledged spans do not become readable
 */
export async function runFlatOut(
  start: (dataDirectory: string) => Promise<Collector>,
  load: FlatOutLoad,
): Promise<FlatOutResult> {
  const work = await mkdtemp(join(tmpdir(), "runproof-bench-"));
  const collector = await start(join(work, "data"));
  try {
    const warmUp = await send(collector, { ...load, seconds: WARM_UP_SECONDS });
    await stored(collector, warmUp.acknowledgedSpans);
    return await measured(collector, load, warmUp.acknowledgedSpans);
  } finally {
    await collector.stop();
    await rm(work, { recursive: true, force: true });
  }
}

const send = (collector: Collector, load: FlatOutLoad): Promise<FlatOutReport> =>
  runProgram<FlatOutReport>("./flat-out-sender.ts", { ...load, httpUrl: collector.httpUrl } satisfies FlatOutOptions);

async function measured(collector: Collector, load: FlatOutLoad, before: number): Promise<FlatOutResult> {
  let residentPeakMiB = 0;
  const watch = setInterval(() => {
    const { service, engine } = collector.resident();
    residentPeakMiB = Math.max(residentPeakMiB, service + engine);
  }, 200);
  const cpu = collector.cpuSeconds();
  const engineCpu = collector.engineCpuSeconds();
  const report = await send(collector, load);
  const sentAt = performance.now();
  await stored(collector, before + report.acknowledgedSpans);
  clearInterval(watch);
  const seconds = (performance.timeOrigin + performance.now() - report.startedAt) / 1_000;
  const used = collector.cpuSeconds() - cpu;
  return {
    spansPerSecond: rounded(report.acknowledgedSpans / seconds),
    cpuMicrosPerSpan: rounded((used / report.acknowledgedSpans) * 1e6, 2),
    ackP50Millis: quantile(report.ackMillis, 0.5),
    ackP99Millis: quantile(report.ackMillis, 0.99),
    residentPeakMiB: rounded(residentPeakMiB),
    drainSeconds: rounded((performance.now() - sentAt) / 1_000, 1),
    engineCpuShare: rounded((collector.engineCpuSeconds() - engineCpu) / used, 2),
    senderCores: rounded(report.cores, 2),
    refused: Object.values(report.refused).reduce((sum, count) => sum + count, 0),
  };
}

async function stored(collector: Collector, spans: number): Promise<void> {
  let found = 0;
  const isStored = async (): Promise<boolean> => {
    found = (await collector.store.query<{ rows: number }>("SELECT count() AS rows FROM otel_traces"))[0]?.rows ?? 0;
    return found >= spans;
  };
  if (!(await until(isStored, MAX_DRAIN_MILLIS))) throw new Error(`${spans} spans acknowledged, ${found} stored`);
}
