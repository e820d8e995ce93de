import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as semconv from "../../instrumentation/semconv.ts";
import { encodeRecords } from "../../instrumentation/transport/record-span.ts";
import { createStore } from "../clickhouse/store.ts";
import { rootSpan, startSpan, testRun } from "../testing/run-spans.ts";
import { type AlertReceiver, startAlertReceiver } from "./testing/alert-receiver.ts";

const PATIENCE = { timeout: 60_000, interval: 20 };
const SECRET = "a secret of more than 24 characters";
const PROCESS = fileURLToPath(new URL("../testing/service-process.ts", import.meta.url));
const KILLS = 8;

let directory: string;
let receiver: AlertReceiver;
let running: Awaited<ReturnType<typeof startProcess>> | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-crash-"));
  receiver = await startAlertReceiver(SECRET);
});
afterEach(async () => {
  await running?.kill();
  await receiver.close();
  await rm(directory, { recursive: true, force: true });
});

async function startProcess() {
  const settings = {
    ...{ otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: "off", graceSeconds: 0, settleSeconds: 0 },
    dataDirectory: join(directory, "data"),
    monitorIntervalSeconds: 0.5,
    webhooks: JSON.stringify([{ url: receiver.url, secret: SECRET }]),
    webhookAllowPrivate: true,
  };
  const args = ["--disable-warning=ExperimentalWarning", PROCESS, JSON.stringify(settings)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const urls = JSON.parse(String(value)) as { otlpUrl: string; clickhouseUrl: string };
  return {
    ...urls,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

async function failedRun(otlpUrl: string, codeVersion: string): Promise<void> {
  const run = testRun();
  const stamp = { attributes: { [semconv.ATTR_CODE_VERSION]: codeVersion } };
  const records = [startSpan(run, stamp), rootSpan(run, {}, stamp)].map((row) => ({
    traceId: row.TraceId,
    spanId: row.SpanId,
    ...(row.ParentSpanId !== "" && { parentSpanId: row.ParentSpanId }),
    name: row.SpanName,
    timeUnixNano: row.Timestamp,
    attributes: row.SpanAttributes,
  }));
  const body = String(encodeRecords({ attributes: { "service.name": "agents" } }, records));
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${otlpUrl}/v1/traces`, { method: "POST", headers, body });
  expect(response.status).toBe(200);
}

const isLong = process.env["RUNPROOF_LONG_TESTS"] === "1";

describe.runIf(isLong)("a service that is killed while it alerts", { timeout: 600_000 }, () => {
  it(`loses no alert and stores none twice, in ${KILLS} kills`, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      running = await startProcess();
      await failedRun(running.otlpUrl, `v${kill}`);
      // Before, while and after the alert goes out.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_500));
      await running.kill();
    }
    running = await startProcess();
    const ids = (): Set<string> => new Set(receiver.received.map(({ id }) => id));
    await vi.waitFor(() => expect(ids().size).toBe(KILLS), PATIENCE);
    const store = createStore({ url: running.clickhouseUrl });
    const stored = () =>
      store.query<{ code_version: string; n: number }>(
        "SELECT code_version, count() AS n FROM runproof_alerts GROUP BY code_version ORDER BY code_version",
      );
    const expected = Array.from({ length: KILLS }, (_none, index) => ({ code_version: `v${index}`, n: 1 }));
    await vi.waitFor(async () => expect(await stored()).toEqual(expected), PATIENCE);
    const logged = await store.query<{ n: number }>(
      `SELECT count() AS n FROM otel_logs WHERE EventName = '${semconv.EVENT_ALERT}'
       GROUP BY LogAttributes['${semconv.ATTR_ALERT_ID}'] ORDER BY n`,
    );
    expect(logged.map(({ n }) => n)).toEqual(Array.from({ length: KILLS }, () => 1));
    await store.close();
  });
});
