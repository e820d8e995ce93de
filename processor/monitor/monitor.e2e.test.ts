import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeRecords, type RecordSpan } from "../../instrumentation/transport/record-span.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import type { Service } from "../service.ts";
import { rootSpan, startSpan, testRun } from "../testing/run-spans.ts";
import { createServiceFixture, type ServiceFixture } from "../testing/running-service.ts";
import { type AlertReceiver, startAlertReceiver } from "./testing/alert-receiver.ts";

const PATIENCE = { timeout: 60_000, interval: 100 };
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

interface Gate {
  readonly open: boolean;
  readonly reasons: readonly { readonly code: string; readonly details?: Record<string, unknown> }[];
}

let receiver: AlertReceiver;
let fixture: ServiceFixture;
let service: Service;
beforeEach(async () => {
  receiver = await startAlertReceiver(SECRET);
  fixture = await createServiceFixture({
    graceSeconds: 0,
    settleSeconds: 0,
    watchdogScanSeconds: 0.2,
    monitorIntervalSeconds: 1.5,
    webhooks: JSON.stringify([{ url: receiver.url, secret: SECRET }]),
    webhookAllowPrivate: true,
  });
  service = await fixture.start();
});
afterEach(async () => {
  await fixture.close();
  await receiver.close();
});

const ask = async (path: string, body?: object): Promise<{ status: number; json: unknown }> => {
  const response = await fetch(`${service.adminUrl}${path}`, {
    ...(body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
};
const gate = async (): Promise<Gate & { status: number }> => {
  const { status, json } = await ask("/v1/gate");
  expect(status).toBe((json as Gate).open ? 200 : 503);
  return { status, ...(json as Gate) };
};
const codes = async (): Promise<string[]> => [...new Set((await gate()).reasons.map(({ code }) => code))];
const untilCodes = (expected: readonly string[]): Promise<void> =>
  vi.waitFor(async () => expect((await codes()).toSorted()).toEqual(expected), PATIENCE);

async function post(path: string, body: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${service.otlpUrl}${path}`, { method: "POST", headers, body });
  expect(response.status).toBe(200);
}

const recordOf = (row: SpanRow): RecordSpan => ({
  traceId: row.TraceId,
  spanId: row.SpanId,
  ...(row.ParentSpanId !== "" && { parentSpanId: row.ParentSpanId }),
  name: row.SpanName,
  timeUnixNano: row.Timestamp,
  endUnixNano: String(BigInt(row.Timestamp) + BigInt(row.Duration)),
  attributes: row.SpanAttributes,
});

/** A run that promised to send something and did not. */
async function failedRun(codeVersion = "v1"): Promise<string> {
  const run = testRun();
  const stamp = { attributes: { [semconv.ATTR_CODE_VERSION]: codeVersion } };
  const spans = [startSpan(run, stamp), rootSpan(run, {}, stamp)];
  await post("/v1/traces", String(encodeRecords({ attributes: { "service.name": "agents" } }, spans.map(recordOf))));
  return run.runId;
}

/** The events of one complete round of the tier, as whoever replays fixtures sends them. */
async function canaryRound(outcome: string, protects = "missing_side_effect", intervalSeconds = 600): Promise<void> {
  const slot = Date.now();
  const place = {
    [semconv.ATTR_CANARY_TIER]: "critical",
    [semconv.ATTR_CANARY_ROUND_ID]: `critical:${slot}`,
    [semconv.ATTR_CANARY_SLOT]: slot,
    [semconv.ATTR_CANARY_INTERVAL_SECONDS]: intervalSeconds,
    [semconv.ATTR_CANARY_SHARD]: "1/1",
  };
  const round = (phase: string) => ({
    eventName: semconv.EVENT_CANARY_ROUND,
    ...place,
    [semconv.ATTR_CANARY_PHASE]: phase,
    [semconv.ATTR_CANARY_FIXTURES]: '["one"]',
  });
  const result = {
    eventName: semconv.EVENT_CANARY_RESULT,
    ...place,
    [semconv.ATTR_FIXTURE_ID]: "one",
    [semconv.ATTR_CANARY_OUTCOME]: outcome,
    [semconv.ATTR_CANARY_FIXTURE_STATE]: "certified",
    [semconv.ATTR_AGENT_NAME]: "agent",
    [semconv.ATTR_CANARY_PROTECTS]: protects,
    [semconv.ATTR_CODE_VERSION]: "v2",
  };
  const records = [round("started"), result, round("ended")].map(({ eventName, ...attributes }) => ({
    timeUnixNano: `${Date.now()}000000`,
    eventName,
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
    })),
  }));
  await post("/v1/logs", JSON.stringify({ resourceLogs: [{ resource: {}, scopeLogs: [{ logRecords: records }] }] }));
}

const storedAlerts = () =>
  fixture
    .reader()
    .query<{ alert_id: string; state: string }>(
      "SELECT alert_id, state FROM runproof_alerts ORDER BY version DESC LIMIT 1 BY alert_id",
    );
const loggedAlerts = () =>
  fixture.reader().query<{ id: string; state: string }>(
    `SELECT LogAttributes['${semconv.ATTR_ALERT_ID}'] AS id, LogAttributes['${semconv.ATTR_ALERT_STATE}'] AS state
     FROM otel_logs WHERE EventName = '${semconv.EVENT_ALERT}' ORDER BY Timestamp`,
  );

describe("the loop from a failed run to an alert and a gate", () => {
  it("alerts once, over a restart, until a canary proves the class mended; a bad run after that is told anew", async () => {
    await canaryRound("passing");
    await untilCodes([]);

    const runId = await failedRun();
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), PATIENCE);
    const [alert] = receiver.received;
    expect(alert).toMatchObject({
      signatureHolds: true,
      body: {
        type: "runproof.alert.firing",
        data: { state: "firing", agent_name: "agent", code_version: "v1", first_bad_run_id: runId },
      },
    });
    const failureClass = String(alert?.body.data["failure_class"]);
    expect(failureClass).not.toBe("");
    await untilCodes(["alert_open"]);

    await fixture.stop();
    service = await fixture.start();
    // Another bad run of the class, a fixture that fails with it: still one alert.
    await failedRun();
    await canaryRound("passing", "something_else");
    await untilCodes(["alert_open"]);
    expect(receiver.received).toHaveLength(1);
    expect(await storedAlerts()).toHaveLength(1);
    expect((await loggedAlerts()).map(({ state }) => state)).toEqual(["firing"]);
    const labels = ['agent="agent"', 'code_version="v1"', `failure_class="${failureClass}"`];
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
      const [, found = ""] = /^runproof_alerts_open\{(.*)\} 1$/m.exec(metrics) ?? [];
      expect(found.split(",").toSorted()).toEqual(labels);
      expect(metrics).toMatch(/^runproof_silent_failure_window_minutes\{/m);
      expect(metrics).toContain('runproof_fixtures_passing{tier="critical"} 1');
      expect(metrics).toContain("runproof_gate_open 0");
    }, PATIENCE);

    await canaryRound("passing", failureClass);
    await untilCodes([]);
    await vi.waitFor(() => expect(receiver.received.map(({ body }) => body.type)).toHaveLength(2), PATIENCE);
    expect(receiver.received[1]).toMatchObject({ signatureHolds: true, body: { type: "runproof.alert.resolved" } });

    await failedRun();
    await vi.waitFor(() => expect(receiver.received).toHaveLength(3), PATIENCE);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(3);
    expect(receiver.received[2]?.body.data).toMatchObject({ state: "firing", episode: 2 });
    const { status } = await ask("/v1/alerts/resolve", {
      id: receiver.received[2]?.body.data["alert_id"],
      by: "ann",
      reason: "rolled back",
    });
    expect(status).toBe(200);
    await untilCodes([]);
    const states = async (): Promise<string[]> => (await storedAlerts()).map(({ state }) => state);
    await vi.waitFor(async () => expect(await states()).toEqual(["resolved", "resolved"]), PATIENCE);
  });

  it("closes when a fixture fails, when the canaries fall silent, and when the store is gone", async () => {
    expect((await gate()).open).toBe(false);
    await canaryRound("failing");
    await vi.waitFor(async () => expect(await codes()).toContain("fixture_failing"), PATIENCE);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), PATIENCE);
    const override = { reason: "known since Monday", by: "ann", codes: ["fixture_failing", "alert_open"], for: "1h" };
    const granted = await ask("/v1/gate/overrides", override);
    expect(granted.status).toBe(201);
    await untilCodes([]);
    const { id } = granted.json as { id: string };
    expect((await ask("/v1/gate/overrides/revoke", { id, by: "bob" })).status).toBe(200);
    await untilCodes(["alert_open", "fixture_failing"]);

    await canaryRound("passing", "missing_side_effect", 2);
    await untilCodes([]);
    await untilCodes(["canary_silent", "fixture_stale"]);

    await canaryRound("passing");
    await untilCodes([]);
    const pid = service.enginePid();
    process.kill(pid!, "SIGSTOP");
    try {
      await vi.waitFor(async () => expect(await codes()).toContain("monitor_silent"), PATIENCE);
    } finally {
      process.kill(pid!, "SIGCONT");
    }
    await untilCodes([]);
    const overrides = await fixture.reader().query<{ state: string }>(
      `SELECT LogAttributes['${semconv.ATTR_GATE_OVERRIDE_STATE}'] AS state FROM otel_logs
       WHERE EventName = '${semconv.EVENT_GATE_OVERRIDE}' ORDER BY Timestamp`,
    );
    expect(overrides.map(({ state }) => state)).toEqual(["granted", "revoked"]);
  });
});
