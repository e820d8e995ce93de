import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { expectNothingLost } from "./testing/expect-nothing-lost.ts";
import { createFaultyService } from "./testing/faulty-service.ts";
import { startOtlpSenders } from "./testing/otlp-senders.ts";

/** A request of nobody's ledger. */
const PROBE = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "probe" } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: "f".repeat(32),
              spanId: "f".repeat(16),
              name: "probe",
              startTimeUnixNano: "1795242245000000000",
              endTimeUnixNano: "1795242245000000000",
            },
          ],
        },
      ],
    },
  ],
});

const probe = (url: string): Promise<Response> =>
  fetch(`${url}/v1/traces`, { method: "POST", body: PROBE, headers: { "content-type": "application/json" } });

it("a service whose disk is full answers 503 with Retry-After, acknowledges nothing, and recovers without a restart", async () => {
  const service = await createFaultyService();
  onTestFinished(() => service.remove());
  const { child, ready } = await service.start();
  const senders = startOtlpSenders(ready, service.ledger);
  const { acknowledged } = service.ledger;
  await expect.poll(() => acknowledged.size).toBeGreaterThan(20);
  child.disk("full");
  await expect.poll(async () => (await probe(ready.otlpUrl)).status, { interval: 20 }).toBe(503);
  const refusal = await probe(ready.otlpUrl);
  expect([refusal.status, Number(refusal.headers.get("retry-after")) > 0]).toEqual([503, true]);
  // Answers that had left before it was full.
  await sleep(200);
  const whenFull = acknowledged.size;
  await sleep(2_000);
  expect(acknowledged.size).toBe(whenFull);
  expect((await fetch(`${ready.otlpUrl}/health`)).status).toBe(200);
  child.disk("free");
  await expect.poll(() => acknowledged.size).toBeGreaterThan(whenFull + 20);
  await senders.stop();
  await child.drain();
  child.stop();
  expect(await child.ended).toBe("exit code 0");
  await expectNothingLost(service);
});
