import { describe, expect, it } from "vitest";
import { ConfigError, loadServiceConfig } from "./config.ts";

function problemsOf(env: Record<string, string>, flags: Record<string, unknown> = {}): readonly string[] {
  try {
    loadServiceConfig(env, flags);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("the configuration is valid");
}

describe("the service's configuration", () => {
  it("listens on loopback, on the well-known ports, by default", () => {
    expect(loadServiceConfig({})).toEqual({
      host: "127.0.0.1",
      otlpPort: 4318,
      otlpGrpcPort: 4317,
      allowUnauthenticated: false,
      spoolMaxBytes: 4 * 1024 ** 3,
      clickhousePort: 8123,
      dataDirectory: ".runproof/data",
      clickhouseUser: "default",
      clickhousePassword: "",
      clickhouseDatabase: "default",
      graceSeconds: 60,
      settleSeconds: 10,
      watchdogScanSeconds: 1,
      sweepDays: 7,
      adminHost: "127.0.0.1",
      adminPort: 9464,
      telemetryIntervalSeconds: 30,
      drainSeconds: 20,
      forwardHeaders: {},
      forwardMaxBytes: 512 * 1024 ** 2,
      forwardProtocol: "http/protobuf",
      forwardTimeoutSeconds: 10,
      monitorIntervalSeconds: 15,
      monitorRunWindowMinutes: 60,
      alertLookBackDays: 30,
      webhookAllowPrivate: false,
      webhookTimeoutSeconds: 10,
      gateTiers: ["critical"],
      gateAllowNoFixtures: false,
      gateMaxAbandonedRuns: 0,
      gateMaxUnverifiedRuns: 0,
      gateAlertsClose: true,
      scopeFile: ".runproof/scope.json",
      scopeStage: "observe",
      scopeFallback: "default",
    });
  });

  it("takes flags before the environment and the environment before the defaults", () => {
    const env = { RUNPROOF_OTLP_PORT: "1", RUNPROOF_GRACE_SECONDS: "2.5", RUNPROOF_SWEEP_DAYS: "" };
    const config = loadServiceConfig(env, { otlpPort: "3", graceSeconds: undefined });
    expect(config).toMatchObject({ otlpPort: 3, graceSeconds: 2.5, sweepDays: 7 });
  });

  it("cannot be changed afterwards", () => {
    expect(Object.isFrozen(loadServiceConfig({}))).toBe(true);
  });

  it("names every problem at once, each with its key", () => {
    const problems = problemsOf(
      { RUNPROOF_OTLP_PORT: "65536", RUNPROOF_GRACE_SECONDS: "-1", RUNPROOF_CLICKHOUSE_SERVER_URL: "file:///etc" },
      { watchdogScanSeconds: 0, dataDirectory: "", colour: "green" },
    );
    for (const key of ["otlpPort", "graceSeconds", "clickhouseUrl", "watchdogScanSeconds", "dataDirectory", "colour"])
      expect(problems.filter((problem) => problem.includes(key))).toHaveLength(1);
    expect(problems).toHaveLength(6);
  });

  it("refuses keys it does not know", () => {
    expect(problemsOf({}, { otlpport: 1 })).toEqual([expect.stringContaining('"otlpport"')]);
  });

  it.each(["", " ", "0x10", "1e3", "1.5", "-1", "99999", "NaN", true, null, [], {}])(
    "takes %j for no port, least of all for any free one",
    (value) => {
      expect(problemsOf({}, { otlpPort: value })).toEqual([expect.stringContaining("otlpPort")]);
    },
  );

  it.each(["ftp://host", "localhost:8123", "javascript:alert(1)"])("takes %s for no ClickHouse server", (url) => {
    expect(problemsOf({ RUNPROOF_CLICKHOUSE_SERVER_URL: url })).toHaveLength(1);
  });
});
