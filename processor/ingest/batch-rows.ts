import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { decodeLogsJson, decodeLogsProtobuf, decodeTracesJson, decodeTracesProtobuf } from "../otlp/index.ts";
import { logRowsFrom, spanRowsFrom } from "../otlp/index.ts";
import { stampProject } from "../receivers/stamp-project.ts";
import type { SpoolRecord } from "../spool/index.ts";

/** Rows of a spooled traces body, as the receiver would have made them. @throws OtlpDecodeError */
export function spanRowsOf({ encoding, payload, project }: SpoolRecord): SpanRow[] {
  const { rows } = spanRowsFrom(encoding === "json" ? decodeTracesJson(payload) : decodeTracesProtobuf(payload));
  if (project !== "") stampProject(rows, project);
  return rows;
}

/** The same for logs. */
export function logRowsOf({ encoding, payload, project }: SpoolRecord): LogRow[] {
  const { rows } = logRowsFrom(encoding === "json" ? decodeLogsJson(payload) : decodeLogsProtobuf(payload));
  if (project !== "") stampProject(rows, project);
  return rows;
}
