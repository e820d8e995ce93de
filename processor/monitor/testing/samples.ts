import * as semconv from "../../../instrumentation/semconv.ts";
import type { AlertRow, CanaryResult, CanaryRound } from "../../clickhouse/monitor-rows.ts";
import type { LogRow } from "../../clickhouse/rows.ts";
import { logRow } from "../../clickhouse/testing/row-samples.ts";
import type { MonitorReading } from "../reading.ts";

export const MINUTE = 60_000;

export const canaryRound = (changes: Partial<CanaryRound> = {}): CanaryRound => ({
  project: "shop",
  tier: "critical",
  round_id: "critical:1",
  slot: 1_000_000,
  interval_seconds: 900,
  fixtures: ["one"],
  ended_shards: ["1/1"],
  started_at: 1_000_100,
  ended_at: 1_010_000,
  ...changes,
});

export const canaryResult = (changes: Partial<CanaryResult> = {}): CanaryResult => ({
  project: "shop",
  tier: "critical",
  fixture_id: "one",
  round_id: "critical:1",
  slot: 1_000_000,
  interval_seconds: 900,
  outcome: "passing",
  fixture_state: "certified",
  agent_name: "researcher",
  protects: "missing_artifact",
  code_version: "v1",
  run_id: "canary-run",
  explanation: "",
  duration_ms: 12,
  observed_at: 1_005_000,
  ...changes,
});

export const alertRow = (changes: Partial<AlertRow> = {}): AlertRow => ({
  alert_id: "alert-1",
  project: "shop",
  agent_name: "researcher",
  failure_class: "missing_artifact",
  code_version: "v1",
  episode: 1,
  state: "firing",
  first_bad_run_id: "run-1",
  first_bad_at: 900_000,
  last_bad_run_id: "run-2",
  last_bad_at: 960_000,
  alerted_at: 990_000,
  resolved_at: null,
  resolved_by: "",
  resolve_reason: "",
  silent_failure_window_minutes: 1.5,
  fixture_id: "",
  run_count: 2,
  version: 1,
  ...changes,
});

export const reading = (changes: Partial<MonitorReading> = {}): MonitorReading => ({
  readAt: 1_020_000,
  rounds: [canaryRound()],
  results: [canaryResult()],
  runs: [],
  runWindowSeconds: 3_600,
  alerts: [],
  gaps: [],
  ...changes,
});

type Attributes = Record<string, string>;

/** The row that the event of a canary's round becomes. */
export const roundLogRow = (timeMillis: number, attributes: Attributes, project = "shop"): LogRow =>
  eventRow(semconv.EVENT_CANARY_ROUND, timeMillis, { project, attributes });

export const resultLogRow = (timeMillis: number, attributes: Attributes, project = "shop"): LogRow =>
  eventRow(semconv.EVENT_CANARY_RESULT, timeMillis, { project, attributes });

const eventRow = (
  EventName: string,
  timeMillis: number,
  { project, attributes }: { readonly project: string; readonly attributes: Attributes },
): LogRow =>
  logRow({
    EventName,
    Timestamp: String(BigInt(Math.round(timeMillis)) * 1_000_000n),
    TraceId: "",
    SpanId: "",
    ResourceAttributes: { [semconv.ATTR_PROJECT]: project },
    LogAttributes: attributes,
  });
