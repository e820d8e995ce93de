import { describe, expect, it } from "vitest";
import { createRateLimiter, type RateLimiterOptions } from "./rate-limiter.ts";

function limiterAt(options: RateLimiterOptions) {
  const clock = { now: 0 };
  return { clock, limiter: createRateLimiter({ ...options, now: () => clock.now }) };
}

describe("a rate limiter", () => {
  it("takes a burst of five seconds, then one request for each share of a second", () => {
    const { clock, limiter } = limiterAt({ general: { requestsPerSecond: 2 } });
    for (let count = 0; count < 10; count++) expect(limiter.charge("shop", 1)).toBe(0);
    expect(limiter.charge("shop", 1)).toBe(0.5);
    clock.now = 499;
    expect(limiter.charge("shop", 1)).toBeGreaterThan(0);
    clock.now = 501;
    expect(limiter.charge("shop", 1)).toBe(0);
    expect(limiter.charge("shop", 1)).toBeGreaterThan(0);
  });

  it("takes a body larger than the burst and makes the project pay the debt", () => {
    const { clock, limiter } = limiterAt({ general: { bytesPerSecond: 1_000 } });
    expect(limiter.charge("shop", 15_000)).toBe(0);
    expect(limiter.charge("shop", 1)).toBe(10);
    clock.now = 10_001;
    expect(limiter.charge("shop", 1)).toBe(0);
  });

  it("saves no more than the burst", () => {
    const { clock, limiter } = limiterAt({ general: { requestsPerSecond: 1 } });
    limiter.charge("shop", 1);
    clock.now = 3_600_000;
    let taken = 0;
    while (limiter.charge("shop", 1) === 0) taken++;
    expect(taken).toBe(5);
  });

  it("keeps projects apart and gives a project its own limit", () => {
    const projects = new Map([["bank", { requestsPerSecond: 0.2 }]]);
    const { limiter } = limiterAt({ general: { requestsPerSecond: 1 }, projects });
    expect([limiter.charge("bank", 1), limiter.charge("bank", 1)]).toEqual([0, 5]);
    expect(limiter.waitSeconds("shop")).toBe(0);
  });

  it("limits nobody without a limit, and asking costs nothing", () => {
    const { limiter } = limiterAt({});
    for (let count = 0; count < 1_000; count++) expect(limiter.charge("shop", 1e9)).toBe(0);
    const { limiter: asked } = limiterAt({ general: { requestsPerSecond: 0.2 } });
    for (let count = 0; count < 9; count++) expect(asked.waitSeconds("shop")).toBe(0);
  });
});
