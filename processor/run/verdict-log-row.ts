import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow } from "../clickhouse/rows.ts";
import type { RunRow } from "../clickhouse/run-rows.ts";
import { evaluationAttributes, verdictAttributes } from "../verdict-attributes.ts";

const SEVERITY_INFO = 9;
const SEVERITY_ERROR = 17;

/**
 * The collector's verdict as the OpenTelemetry event `gen_ai.evaluation.result`, parented to the run's root span: the one
 * carrier of verdicts that other tools read.
 */
export function verdictLogRow(row: RunRow, verdict: Verdict): LogRow {
  const good = verdict.status === "passed" || verdict.status === "skipped";
  return {
    Timestamp: String(BigInt(row.judged_at) * 1_000_000n),
    TraceId: row.trace_id,
    SpanId: row.root_span_id,
    TraceFlags: 0,
    SeverityText: good ? "INFO" : "ERROR",
    SeverityNumber: good ? SEVERITY_INFO : SEVERITY_ERROR,
    ServiceName: row.service_name,
    Body: `run ${row.run_id} of ${row.agent_name}: ${verdict.status}${verdict.failureClass === null ? "" : ` (${verdict.failureClass})`}`,
    ResourceSchemaUrl: "",
    ResourceAttributes: { [semconv.ATTR_SERVICE_NAME]: row.service_name, [semconv.ATTR_PROJECT]: row.project },
    ScopeSchemaUrl: "",
    ScopeName: semconv.INSTRUMENTATION_SCOPE,
    ScopeVersion: "",
    ScopeAttributes: {},
    LogAttributes: {
      [semconv.ATTR_RUN_ID]: row.run_id,
      [semconv.ATTR_AGENT_NAME]: row.agent_name,
      [semconv.ATTR_RUN_TYPE]: row.run_type,
      ...evaluationAttributes(verdict),
      ...verdictAttributes(verdict),
    },
    EventName: semconv.EVENT_EVALUATION_RESULT,
  };
}
