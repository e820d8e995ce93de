import type { ScopeDriftEvent } from "../../instrumentation/scope/scope-drift.ts";
import { driftAttributes } from "../../instrumentation/scope/scope-telemetry.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow } from "../clickhouse/rows.ts";

const SEVERITY_WARN = 13;

/** Drift of the service's own scope as an OpenTelemetry log event: the fields of the event are its attributes, and no others. */
export function driftLogRow(event: ScopeDriftEvent, unixMillis: number): LogRow {
  const attributes = Object.entries(driftAttributes(event));
  return {
    Timestamp: String(BigInt(unixMillis) * 1_000_000n),
    TraceId: "",
    SpanId: "",
    TraceFlags: 0,
    SeverityText: "WARN",
    SeverityNumber: SEVERITY_WARN,
    ServiceName: semconv.INSTRUMENTATION_SCOPE,
    Body: `project scope drifted: ${event.reason}`,
    ResourceSchemaUrl: "",
    ResourceAttributes: {
      [semconv.ATTR_SERVICE_NAME]: semconv.INSTRUMENTATION_SCOPE,
      ...(event.resolved_scope === null ? {} : { [semconv.ATTR_PROJECT]: event.resolved_scope }),
    },
    ScopeSchemaUrl: "",
    ScopeName: semconv.INSTRUMENTATION_SCOPE,
    ScopeVersion: "",
    ScopeAttributes: {},
    // As the Collector's exporter writes what is no text.
    LogAttributes: Object.fromEntries(
      attributes.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
    EventName: semconv.EVENT_SCOPE_DRIFT,
  };
}
