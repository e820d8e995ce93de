/**
 * `node bench/store-away.ts [minutes] [spans/s]`: a ClickHouse server that is gone for minutes (killed and kept down) while
 * spans come in; then it comes back on the same port. Prints one document of JSON.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createEmbeddedEngine } from "../processor/clickhouse/embedded/embedded-engine.ts";
import { runProgram, startService, until } from "./collector.ts";
import { quantile, rounded } from "./figures.ts";
import type { LoadOptions, LoadReport } from "./load-generator.ts";
import { print } from "./measure.ts";
import { watchResident } from "./resident-watch.ts";
import { BATCH_SPANS, createSteadyBatches } from "./steady-batches.ts";
import { checkStored, countSpans } from "./steady-check.ts";

const [minutes = 10, spansPerSecond = 2_000] = process.argv.slice(2).map(Number);
const awaySeconds = minutes * 60;
/** With the server there, before and after. */
const PRESENT_SECONDS = 20;
const MAX_CATCH_UP_MILLIS = 600_000;

const work = await mkdtemp(join(tmpdir(), "runproof-away-"));
const server = createEmbeddedEngine({ dataDirectory: join(work, "server"), port: 0 });
await server.start();
const { username, password } = server.serviceCredentials();
const service = await startService(join(work, "data"), {
  env: {
    RUNPROOF_CLICKHOUSE_SERVER_URL: server.url(),
    RUNPROOF_CLICKHOUSE_SERVER_USER: username,
    RUNPROOF_CLICKHOUSE_SERVER_PASSWORD: password,
  },
});
const resident = watchResident(service);
const batchOptions = { seed: 1, startedAtMillis: Date.now(), runs: false };
const began = performance.now();
const sending = runProgram<LoadReport>("./load-generator.ts", {
  ...batchOptions,
  httpUrl: service.httpUrl,
  grpcUrl: service.grpcUrl,
  clickhouseUrl: server.url(),
  spansPerSecond,
  seconds: awaySeconds + 2 * PRESENT_SECONDS,
} satisfies LoadOptions);
await sleep(PRESENT_SECONDS * 1_000);
const goneAt = Date.now();
const enginePid = server.pid();
const gone = server.shutdown();
if (enginePid !== undefined) process.kill(enginePid, "SIGKILL");
await gone;
await sleep(awaySeconds * 1_000);
await server.start();
const backAt = Date.now();
const sentUntilBack = ((performance.now() - began) / 1_000) * spansPerSecond;
const isCaughtUp = async (): Promise<boolean> =>
  (await countSpans(service.store)).distinct >= sentUntilBack - BATCH_SPANS;
const caughtUp = until(isCaughtUp, MAX_CATCH_UP_MILLIS, 250).then(() => (Date.now() - backAt) / 1_000);
const [report, catchUpSeconds] = [await sending, await caughtUp];
const memory = resident();
const stored = await checkStored(service.store, createSteadyBatches(batchOptions), {
  report,
  millis: MAX_CATCH_UP_MILLIS,
});
const whileAway = report.acknowledgements.filter(([at]) => at > goneAt && at < backAt);
print(
  JSON.stringify(
    {
      awaySeconds: rounded((backAt - goneAt) / 1_000),
      sent: report.sentBatches * BATCH_SPANS,
      acknowledgedWhileAway: whileAway.length * BATCH_SPANS,
      refused: report.refused,
      ackP99MillisWhileAway: quantile(
        whileAway.map(([, millis]) => millis),
        0.99,
      ),
      catchUpSeconds: rounded(catchUpSeconds, 1),
      stored,
      serviceResidentMiB: memory.service,
    },
    null,
    2,
  ),
);
await service.stop();
await server.shutdown();
await rm(work, { recursive: true, force: true });
