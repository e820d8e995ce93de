import { decodeAnyValue, decodeAttributes, decodeResource, decodeScope } from "./json-common.ts";
import { parseJsonDocument } from "./json-document.ts";
import { type JsonObject, objectFrom, readArray, readHexId } from "./json-fields.ts";
import { readObject, readString, readUint32, readUint64 } from "./json-fields.ts";
import type { LogRecord, LogsData, ResourceLogs, ScopeLogs } from "./model.ts";
import { NODES_PER_GROUP, NODES_PER_LOG_RECORD, NodeBudget } from "./node-budget.ts";

/** Decodes an OTLP/JSON `ExportLogsServiceRequest`. Unknown fields are ignored. @throws OtlpDecodeError, and nothing else. */
export function decodeLogsJson(body: Uint8Array): LogsData {
  const document = parseJsonDocument(body);
  const nodes = new NodeBudget();
  const resourceLogs: ResourceLogs[] = [];
  for (const item of readArray(document, "resourceLogs")) {
    resourceLogs.push(decodeResourceLogs(objectFrom(item, "resourceLogs"), nodes));
  }
  return { resourceLogs };
}

function decodeResourceLogs(object: JsonObject, nodes: NodeBudget): ResourceLogs {
  nodes.take(NODES_PER_GROUP);
  const scopeLogs: ScopeLogs[] = [];
  for (const item of readArray(object, "scopeLogs")) {
    scopeLogs.push(decodeScopeLogs(objectFrom(item, "scopeLogs"), nodes));
  }
  return { resource: decodeResource(object, nodes), scopeLogs, schemaUrl: readString(object, "schemaUrl") };
}

function decodeScopeLogs(object: JsonObject, nodes: NodeBudget): ScopeLogs {
  nodes.take(NODES_PER_GROUP);
  const logRecords: LogRecord[] = [];
  for (const item of readArray(object, "logRecords")) {
    logRecords.push(decodeLogRecord(objectFrom(item, "logRecords"), nodes));
  }
  return { scope: decodeScope(object, nodes), logRecords, schemaUrl: readString(object, "schemaUrl") };
}

function decodeLogRecord(object: JsonObject, nodes: NodeBudget): LogRecord {
  nodes.take(NODES_PER_LOG_RECORD);
  return {
    timeUnixNano: readUint64(object, "timeUnixNano"),
    observedTimeUnixNano: readUint64(object, "observedTimeUnixNano"),
    severityNumber: readUint32(object, "severityNumber"),
    severityText: readString(object, "severityText"),
    body: decodeAnyValue(readObject(object, "body"), nodes),
    attributes: decodeAttributes(object, nodes),
    flags: readUint32(object, "flags"),
    traceId: readHexId(object, "traceId"),
    spanId: readHexId(object, "spanId"),
    eventName: readString(object, "eventName"),
  };
}
