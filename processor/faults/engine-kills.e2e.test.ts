import { expect, it, onTestFinished } from "vitest";
import { expectNothingLost } from "./testing/expect-nothing-lost.ts";
import { createFaultyService } from "./testing/faulty-service.ts";
import { startOtlpSenders } from "./testing/otlp-senders.ts";

const KILLS = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 100 : 5;

it(
  `a service whose engine is killed in the middle of inserts, ${KILLS} times, goes on acknowledging and stores each span once`,
  { timeout: KILLS * 20_000 + 60_000 },
  async () => {
    const service = await createFaultyService();
    onTestFinished(() => service.remove());
    const { child, ready } = await service.start({ engineKills: KILLS });
    const senders = startOtlpSenders(ready, service.ledger);
    await child.said("engine killed", KILLS);
    const whenKilled = service.ledger.acknowledged.size;
    // The last engine is down for some hundred milliseconds more.
    await expect.poll(() => service.ledger.acknowledged.size).toBeGreaterThan(whenKilled + 10);
    await senders.stop();
    await child.drain();
    child.stop();
    expect(await child.ended).toBe("exit code 0");
    await expectNothingLost(service);
  },
);
