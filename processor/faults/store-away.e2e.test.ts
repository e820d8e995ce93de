import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { createEmbeddedEngine } from "../clickhouse/embedded/embedded-engine.ts";
import { expectNothingLost } from "./testing/expect-nothing-lost.ts";
import { createFaultyService } from "./testing/faulty-service.ts";
import { startOtlpSenders } from "./testing/otlp-senders.ts";

const AWAY_MILLIS = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 120_000 : 10_000;

it(
  `a service whose ClickHouse server is away for ${AWAY_MILLIS / 1_000} s goes on acknowledging and catches up by itself`,
  { timeout: AWAY_MILLIS + 60_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "runproof-server-"));
    const server = createEmbeddedEngine({ dataDirectory: directory, port: 0 });
    await server.start();
    const { username, password } = server.serviceCredentials();
    const service = await createFaultyService({
      clickhouseUrl: server.url(),
      clickhouseUser: username,
      clickhousePassword: password,
    });
    onTestFinished(async () => {
      await service.remove();
      await server.shutdown();
      await rm(directory, { recursive: true, force: true });
    });
    const { child, ready } = await service.start();
    const senders = startOtlpSenders(ready, service.ledger);
    await expect.poll(() => service.ledger.acknowledged.size).toBeGreaterThan(20);
    await server.shutdown();
    const whenGone = service.ledger.acknowledged.size;
    await sleep(AWAY_MILLIS);
    expect(service.ledger.acknowledged.size).toBeGreaterThan(whenGone + AWAY_MILLIS / 100);
    await server.start();
    await senders.stop();
    await child.drain();
    child.stop();
    expect(await child.ended).toBe("exit code 0");
    await expectNothingLost(service);
  },
);
