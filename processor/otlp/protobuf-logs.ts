import { EMPTY_VALUE, type LogRecord, type LogsData, type ResourceLogs, type ScopeLogs } from "./model.ts";
import { NODES_PER_GROUP, NODES_PER_LOG_RECORD } from "./node-budget.ts";
import { decodeAnyValue, readKeyValue, readResource, readScope } from "./protobuf-common.ts";
import { ProtobufReader } from "./protobuf-reader.ts";

/** Decodes a protobuf `ExportLogsServiceRequest`. @throws OtlpDecodeError, and nothing else. */
export function decodeLogsProtobuf(body: Uint8Array): LogsData {
  const reader = new ProtobufReader(body);
  const logs: LogsData = { resourceLogs: [] };
  while (reader.nextField()) {
    if (reader.field === 1) logs.resourceLogs.push(decodeResourceLogs(reader));
    else reader.skip();
  }
  return logs;
}

/** Decodes one `LogRecord` message. @throws OtlpDecodeError, and nothing else. */
export function decodeLogRecordProtobuf(message: Uint8Array): LogRecord {
  const reader = new ProtobufReader(message);
  reader.nodes.take(NODES_PER_LOG_RECORD);
  const record = emptyLogRecord();
  while (reader.nextField()) readLogField(reader, record);
  return record;
}

function decodeResourceLogs(reader: ProtobufReader): ResourceLogs {
  reader.nodes.take(NODES_PER_GROUP);
  const group: ResourceLogs = { resource: { attributes: [] }, scopeLogs: [], schemaUrl: "" };
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        readResource(reader, group.resource);
        break;
      case 2:
        group.scopeLogs.push(decodeScopeLogs(reader));
        break;
      case 3:
        group.schemaUrl = reader.string();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return group;
}

function decodeScopeLogs(reader: ProtobufReader): ScopeLogs {
  reader.nodes.take(NODES_PER_GROUP);
  const group: ScopeLogs = { scope: { name: "", version: "", attributes: [] }, logRecords: [], schemaUrl: "" };
  const outerEnd = reader.enter();
  while (reader.nextField()) {
    switch (reader.field) {
      case 1:
        readScope(reader, group.scope);
        break;
      case 2:
        group.logRecords.push(decodeLogRecord(reader));
        break;
      case 3:
        group.schemaUrl = reader.string();
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outerEnd);
  return group;
}

const emptyLogRecord = (): LogRecord => ({
  timeUnixNano: 0n,
  observedTimeUnixNano: 0n,
  severityNumber: 0,
  severityText: "",
  body: EMPTY_VALUE,
  attributes: [],
  flags: 0,
  traceId: "",
  spanId: "",
  eventName: "",
});

function decodeLogRecord(reader: ProtobufReader): LogRecord {
  reader.nodes.take(NODES_PER_LOG_RECORD);
  const record = emptyLogRecord();
  const outerEnd = reader.enter();
  while (reader.nextField()) readLogField(reader, record);
  reader.leave(outerEnd);
  return record;
}

function readLogField(reader: ProtobufReader, record: LogRecord): void {
  switch (reader.field) {
    case 1:
      record.timeUnixNano = reader.fixed64();
      return;
    case 2:
      record.severityNumber = reader.int32();
      return;
    case 3:
      record.severityText = reader.string();
      return;
    case 5:
      record.body = decodeAnyValue(reader);
      return;
    case 6:
      readKeyValue(reader, record.attributes);
      return;
    case 8:
      record.flags = reader.fixed32();
      return;
    case 9:
      record.traceId = reader.hex();
      return;
    case 10:
      record.spanId = reader.hex();
      return;
    case 11:
      record.observedTimeUnixNano = reader.fixed64();
      return;
    case 12:
      record.eventName = reader.string();
      return;
    default:
      reader.skip();
  }
}
