/**
 * `node bench/sustained.ts [seconds] [spans/s]`: the service in a process of its own under a steady load in which half of
 * the batches are whole runs; then the count: everything acknowledged is stored, visible once, equal field by field, and
 * judged soon. Prints one document of JSON.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram, startService } from "./collector.ts";
import { quantile, rounded } from "./figures.ts";
import type { LoadOptions, LoadReport } from "./load-generator.ts";
import { print } from "./measure.ts";
import { watchResident } from "./resident-watch.ts";
import { BATCH_SPANS, createSteadyBatches } from "./steady-batches.ts";
import { checkStored } from "./steady-check.ts";

const [seconds = 60, spansPerSecond = 10_000] = process.argv.slice(2).map(Number);
const MAX_DRAIN_MILLIS = 120_000;
const work = await mkdtemp(join(tmpdir(), "runproof-sustained-"));
const service = await startService(join(work, "data"));
const resident = watchResident(service);
const batchOptions = { seed: 1, startedAtMillis: Date.now(), runs: true };
const cpu = service.cpuSeconds();
const began = performance.now();
const report = await runProgram<LoadReport>("./load-generator.ts", {
  ...batchOptions,
  httpUrl: service.httpUrl,
  grpcUrl: service.grpcUrl,
  clickhouseUrl: service.clickhouseUrl,
  spansPerSecond,
  seconds,
} satisfies LoadOptions);
const memory = resident();
const cores = (service.cpuSeconds() - cpu) / ((performance.now() - began) / 1_000);
const stored = await checkStored(service.store, createSteadyBatches(batchOptions), {
  report,
  millis: MAX_DRAIN_MILLIS,
});
const [judged] = await service.store.query<{ runs: number; judged: number }>(
  "SELECT uniqExact(run_id) AS runs, uniqExactIf(run_id, status != 'started') AS judged FROM runproof_runs",
);
const ackMillis = report.acknowledgements.map(([, millis]) => millis);
const figures = {
  seconds: rounded(report.seconds),
  spansPerSecond: rounded((report.acknowledgements.length * BATCH_SPANS) / report.seconds),
  sent: report.sentBatches * BATCH_SPANS,
  stored,
  refused: report.refused,
  ack: { p50Millis: quantile(ackMillis, 0.5), p99Millis: quantile(ackMillis, 0.99), maxMillis: Math.max(...ackMillis) },
  verdict: {
    samples: report.verdicts.millis.length,
    p50Millis: quantile(report.verdicts.millis, 0.5),
    p99Millis: quantile(report.verdicts.millis, 0.99),
    missing: report.verdicts.missing.length,
    statuses: report.verdicts.statuses,
    runs: judged?.runs ?? 0,
    judged: judged?.judged ?? 0,
  },
  residentMiB: memory,
  cores: { serviceAndEngine: rounded(cores, 2), sender: report.cores },
};
print(JSON.stringify(figures, null, 2));
await service.stop();
await rm(work, { recursive: true, force: true });
