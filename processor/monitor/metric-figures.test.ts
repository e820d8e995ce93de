import { describe, expect, it } from "vitest";
import { monitorFigures } from "./figures.ts";
import { GATE_CODES } from "./gate/gate-codes.ts";
import { createMetricFigures, type MeteredMonitor } from "./metric-figures.ts";
import type { MonitorReading } from "./reading.ts";
import { alertRow, canaryResult, canaryRound, reading } from "./testing/samples.ts";

const NOW = 1_030_000;
const metered = (changes: Partial<MonitorReading> = {}): MeteredMonitor => ({
  figures: monitorFigures(reading(changes), NOW),
  intervalMillis: 15_000,
  decision: {
    open: false,
    reasons: [{ code: "alert_open", message: "", details: {} }],
    overridden: [],
    overrides: [],
  },
  outboxPending: 3,
  scope: "none",
});
const lines = (monitor: MeteredMonitor, now = NOW): string[] =>
  createMetricFigures()(monitor, now).map(
    ({ metric, value, labels }) => `${metric.name}{${Object.values(labels).join(",")}} ${value}`,
  );

describe("the monitor's metrics", () => {
  it("sum fixtures over projects, by tier, and tell the oldest round", () => {
    const rounds = [canaryRound(), canaryRound({ project: "bank", ended_at: 1_008_000 })];
    const results = [canaryResult(), canaryResult({ project: "bank", outcome: "failing" })];
    expect(lines(metered({ rounds, results }))).toEqual(
      expect.arrayContaining([
        "runproof.fixtures.passing{critical} 1",
        "runproof.fixtures.failing{critical} 1",
        "runproof.fixtures.stale{critical} 0",
        "runproof.fixtures.unknown{critical} 0",
        "runproof.canary.interval{critical} 900",
        "runproof.canary.age{critical} 22",
        "runproof.monitor.age{} 10",
        "runproof.alerts.outbox.pending{} 3",
      ]),
    );
  });

  it("are absent where the figures are too old, but for the gate and the monitor's age", () => {
    const names = new Set(lines(metered(), NOW + 60_000).map((line) => line.split("{")[0] ?? ""));
    expect([...names].toSorted()).toEqual([
      "runproof.alerts.outbox.pending",
      "runproof.gate.open",
      "runproof.gate.overrides",
      "runproof.gate.reasons",
      "runproof.monitor.age",
    ]);
    expect(lines({ ...metered(), figures: undefined }).some((line) => line.startsWith("runproof.monitor"))).toBe(false);
  });

  it("tell every code of the gate, so that no series begins only when it is too late", () => {
    const reasons = lines(metered()).filter((line) => line.startsWith("runproof.gate.reasons"));
    expect(reasons).toHaveLength(GATE_CODES.length);
    expect(reasons).toContain("runproof.gate.reasons{alert_open} 1");
    expect(reasons).toContain("runproof.gate.reasons{starting} 0");
  });

  it("have a bounded number of series, whatever agents call themselves, and lose no alert", () => {
    const alerts = Array.from({ length: 1_000 }, (_none, index) =>
      alertRow({ alert_id: `a${index}`, agent_name: `agent-${index}`, code_version: `v${index}` }),
    );
    const open = createMetricFigures()(metered({ alerts }), NOW).filter(
      ({ metric }) => metric.name === "runproof.alerts.open",
    );
    expect(open.length).toBeLessThanOrEqual(201);
    expect(open.reduce((sum, { value }) => sum + value, 0)).toBe(1_000);
  });
});
