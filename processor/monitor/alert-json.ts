import * as semconv from "../../instrumentation/semconv.ts";
import type { AlertRow } from "../clickhouse/monitor-rows.ts";
import type { LogRow } from "../clickhouse/rows.ts";

/** Names come from spans: whoever reads alerts gets no more of them than names need. */
const MAX_TEXT = 512;
const text = (value: string): string => (value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT - 1)}…` : value);
const time = (millis: number): string => new Date(millis).toISOString();

/** An alert as webhooks, the HTTP API and the command line tell it. Texts are data of the agents, nothing to act on. */
export function alertJson(alert: AlertRow) {
  return {
    type: `${semconv.EVENT_ALERT}.${alert.state}`,
    timestamp: time(alert.resolved_at ?? alert.alerted_at),
    data: {
      alert_id: alert.alert_id,
      state: alert.state,
      project: text(alert.project),
      agent_name: text(alert.agent_name),
      failure_class: text(alert.failure_class),
      code_version: text(alert.code_version),
      episode: alert.episode,
      first_bad_run_id: text(alert.first_bad_run_id),
      first_bad_at: time(alert.first_bad_at),
      last_bad_run_id: text(alert.last_bad_run_id),
      last_bad_at: time(alert.last_bad_at),
      run_count: alert.run_count,
      alerted_at: time(alert.alerted_at),
      silent_failure_window_minutes: alert.silent_failure_window_minutes,
      fixture_id: text(alert.fixture_id),
      resolved_at: alert.resolved_at === null ? null : time(alert.resolved_at),
      resolved_by: text(alert.resolved_by),
      resolve_reason: text(alert.resolve_reason),
    },
  };
}

const SEVERITIES = { firing: ["ERROR", 17], resolved: ["INFO", 9] } as const;

/** The log event `runproof.alert`. The same version of an alert gives the same row, whoever makes it. */
export function alertLogRow(alert: AlertRow): LogRow {
  const [SeverityText, SeverityNumber] = SEVERITIES[alert.state];
  const minutes = alert.silent_failure_window_minutes.toFixed(1);
  const { agent_name, failure_class, code_version, state } = alert;
  const what = `${failure_class || "a failure without a class"} of ${agent_name || "an agent without a name"}`;
  const told =
    state === "firing"
      ? `${what} (${code_version || "unknown revision"}): first bad run ${minutes} min before this alert`
      : `${what} (${code_version || "unknown revision"}): resolved by ${alert.resolved_by}`;
  return {
    Timestamp: String(BigInt(alert.resolved_at ?? alert.alerted_at) * 1_000_000n),
    TraceId: "",
    SpanId: "",
    TraceFlags: 0,
    SeverityText,
    SeverityNumber,
    ServiceName: semconv.SERVICE_NAME_RUNPROOF,
    Body: `alert ${state}: ${told}`,
    ResourceSchemaUrl: "",
    ResourceAttributes: {
      [semconv.ATTR_SERVICE_NAME]: semconv.SERVICE_NAME_RUNPROOF,
      [semconv.ATTR_PROJECT]: alert.project,
    },
    ScopeSchemaUrl: "",
    ScopeName: semconv.INSTRUMENTATION_SCOPE,
    ScopeVersion: "",
    ScopeAttributes: {},
    LogAttributes: {
      [semconv.ATTR_ALERT_ID]: alert.alert_id,
      [semconv.ATTR_ALERT_STATE]: state,
      [semconv.ATTR_AGENT_NAME]: agent_name,
      [semconv.ATTR_VERDICT_FAILURE_CLASS]: failure_class,
      [semconv.ATTR_CODE_VERSION]: code_version,
      [semconv.ATTR_ALERT_FIRST_BAD_RUN]: alert.first_bad_run_id,
      [semconv.ATTR_ALERT_FIRST_BAD_AT]: String(alert.first_bad_at),
      [semconv.ATTR_ALERT_SILENT_MINUTES]: String(alert.silent_failure_window_minutes),
      [semconv.ATTR_FIXTURE_ID]: alert.fixture_id,
    },
    EventName: semconv.EVENT_ALERT,
  };
}
