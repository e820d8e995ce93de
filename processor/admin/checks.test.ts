import { describe, expect, it } from "vitest";
import { createStoreHealth } from "../telemetry/index.ts";
import { createSpoolCheck, eventLoopCheck, listeningCheck, storeCheck, watchdogCheck } from "./checks.ts";
import { healthReport, ok, warn, fail } from "./health-check.ts";
import { createLifecycle } from "./lifecycle.ts";

describe("a health report", () => {
  it("is as bad as its worst check", () => {
    expect(healthReport([]).status).toBe("ok");
    expect(healthReport([ok("a"), warn("b", "")]).status).toBe("warn");
    expect(healthReport([warn("b", ""), fail("c", ""), ok("a")]).status).toBe("fail");
  });
});

describe("the spool's check", () => {
  const state = { writable: true, bytes: 0, pendingBytes: 0, full: 0 };
  let time = 0;
  const check = createSpoolCheck({ stats: () => state, maxBytes: 1_000, now: () => time });

  it.each([
    { bytes: 0, status: "ok" },
    { bytes: 799, status: "ok" },
    { bytes: 800, status: "warn" },
    { bytes: 949, status: "warn" },
    { bytes: 950, status: "fail" },
  ])("says $status at $bytes of 1,000 bytes", ({ bytes, status }) => {
    state.bytes = bytes;
    expect(check()).toMatchObject({ status });
    state.bytes = 0;
  });

  it("fails for some seconds after a refusal", () => {
    state.full++;
    expect(check().status).toBe("fail");
    time += 4_999;
    expect(check().status).toBe("fail");
    time += 1;
    expect(check().status).toBe("ok");
  });

  it("fails while the disk does not work", () => {
    state.writable = false;
    expect(check().status).toBe("fail");
    state.writable = true;
    expect(check().status).toBe("ok");
  });
});

describe("the store's check", () => {
  it("warns, and no more, while storing fails or the engine is away", () => {
    const health = createStoreHealth(() => 0);
    expect(storeCheck({ health }).status).toBe("ok");
    health.failed(new Error("connect ECONNREFUSED"));
    expect(storeCheck({ health })).toMatchObject({ status: "warn" });
    expect(storeCheck({ health }).message).toContain("1970-01-01T00:00:00.000Z (connect ECONNREFUSED)");
    health.stored();
    expect(storeCheck({ health }).status).toBe("ok");
    expect(storeCheck({ health, engine: () => ({ up: false }) }).status).toBe("warn");
    expect(storeCheck({ health, engine: () => ({ up: true }) }).status).toBe("ok");
  });
});

describe("further checks", () => {
  it("see a receiver that does not listen", () => {
    expect(listeningCheck("otlp_http", () => ({ port: 1 })).status).toBe("ok");
    const throwing = (): never => {
      throw new Error("not listening");
    };
    expect(listeningCheck("otlp_http", throwing)).toMatchObject({ name: "otlp_http", status: "fail" });
  });

  it("see a watchdog that fell silent", () => {
    const at = (lastScanAt: number | null, scanMillis: number) => watchdogCheck({ lastScanAt, scanMillis, now: 1e6 });
    expect(at(null, 1_000).status).toBe("ok");
    expect(at(1e6 - 30_000, 1_000).status).toBe("ok");
    expect(at(1e6 - 30_001, 1_000).status).toBe("warn");
    expect(at(1e6 - 30_001, 60_000).status).toBe("ok");
  });

  it("see an event loop that is late, and one that hardly turns", () => {
    const late = (p50: number, p99: number) => eventLoopCheck({ p50: () => p50, p99: () => p99 }).status;
    expect([late(0, 20), late(0, 501), late(5_001, 9_000)]).toEqual(["ok", "warn", "fail"]);
  });
});

describe("the life of the service", () => {
  it("is ready between its start and its end, and alive until the end is overdue", () => {
    let time = 0;
    const lifecycle = createLifecycle(20_000, () => time);
    expect(lifecycle.check()).toMatchObject({ status: "fail", message: "The service starts." });
    lifecycle.running();
    expect(lifecycle.check().status).toBe("ok");
    lifecycle.draining();
    time = 80_000;
    expect(lifecycle.check().status).toBe("fail");
    expect(lifecycle.overdueCheck().status).toBe("ok");
    time = 80_001;
    expect(lifecycle.overdueCheck().status).toBe("fail");
    lifecycle.running();
    expect(lifecycle.state).toBe("draining");
  });
});
