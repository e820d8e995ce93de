import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow } from "../clickhouse/rows.ts";
import type { GateOverride } from "./gate/override.ts";

const SEVERITY_WARN = 13;

/** The log event `runproof.gate.override`: somebody opened the gate by hand, or took that back. */
export function overrideLogRow(override: GateOverride): LogRow {
  const { id, by, reason, codes, fixture, expires_at, created_at, revoked_at, revoked_by } = override;
  const state = revoked_at === undefined ? "granted" : "revoked";
  return {
    Timestamp: String(BigInt(revoked_at ?? created_at) * 1_000_000n),
    TraceId: "",
    SpanId: "",
    TraceFlags: 0,
    SeverityText: "WARN",
    SeverityNumber: SEVERITY_WARN,
    ServiceName: semconv.SERVICE_NAME_RUNPROOF,
    Body: `gate override ${id} ${state} by ${revoked_by ?? by}: ${reason}`,
    ResourceSchemaUrl: "",
    ResourceAttributes: { [semconv.ATTR_SERVICE_NAME]: semconv.SERVICE_NAME_RUNPROOF },
    ScopeSchemaUrl: "",
    ScopeName: semconv.INSTRUMENTATION_SCOPE,
    ScopeVersion: "",
    ScopeAttributes: {},
    LogAttributes: {
      [semconv.ATTR_GATE_OVERRIDE_ID]: id,
      [semconv.ATTR_GATE_OVERRIDE_STATE]: state,
      [semconv.ATTR_GATE_OVERRIDE_BY]: revoked_by ?? by,
      [semconv.ATTR_GATE_OVERRIDE_REASON]: reason,
      [semconv.ATTR_GATE_OVERRIDE_CODES]: JSON.stringify(codes),
      [semconv.ATTR_GATE_OVERRIDE_EXPIRES]: String(expires_at),
      ...(fixture !== undefined && { [semconv.ATTR_FIXTURE_ID]: fixture }),
    },
    EventName: semconv.EVENT_GATE_OVERRIDE,
  };
}
