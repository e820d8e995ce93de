import { expect } from "vitest";
import type { FaultyService } from "./faulty-service.ts";

/** Drains the service for the last time and compares, see `checkNothingLost`. */
export async function expectNothingLost(service: FaultyService): Promise<void> {
  const { findings, acknowledged, stored } = await service.settle();
  console.log(
    `${acknowledged} spans acknowledged, ${stored} stored, ${service.ledger.repeated.size} batches sent again`,
  );
  expect(findings).toEqual({ lost: [], foreign: [], doubled: [], changed: [], quarantined: 0 });
  expect(stored).toBeGreaterThanOrEqual(acknowledged);
  expect(acknowledged).toBeGreaterThan(100);
}
