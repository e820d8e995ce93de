import { anyValueToProtobuf, keyValueFields } from "../any-value-to-protobuf.ts";
import type { InstrumentationScope, LogRecord, LogsData, Span, TracesData } from "../model.ts";
import { concat, fixed32Field, fixed64Field, messageField } from "./protobuf-writer.ts";
import { textField, varintField } from "./protobuf-writer.ts";

/** The model as a protobuf request, for tests: every field is written, also when it has its default. */

const hexField = (field: number, hex: string): Uint8Array => messageField(field, Buffer.from(hex, "hex"));

const scopeField = (scope: InstrumentationScope): Uint8Array =>
  messageField(1, textField(1, scope.name), textField(2, scope.version), ...keyValueFields(3, scope.attributes));

const spanField = (span: Span): Uint8Array =>
  messageField(
    2,
    hexField(1, span.traceId),
    hexField(2, span.spanId),
    textField(3, span.traceState),
    hexField(4, span.parentSpanId),
    textField(5, span.name),
    varintField(6, span.kind),
    fixed64Field(7, span.startTimeUnixNano),
    fixed64Field(8, span.endTimeUnixNano),
    ...keyValueFields(9, span.attributes),
    ...span.events.map((event) =>
      messageField(
        11,
        fixed64Field(1, event.timeUnixNano),
        textField(2, event.name),
        ...keyValueFields(3, event.attributes),
      ),
    ),
    ...span.links.map((link) =>
      messageField(
        13,
        hexField(1, link.traceId),
        hexField(2, link.spanId),
        textField(3, link.traceState),
        ...keyValueFields(4, link.attributes),
      ),
    ),
    messageField(15, textField(2, span.status.message), varintField(3, span.status.code)),
  );

export const encodeTracesProtobuf = (traces: TracesData): Uint8Array =>
  concat(
    ...traces.resourceSpans.map(({ resource, scopeSpans, schemaUrl }) =>
      messageField(
        1,
        messageField(1, ...keyValueFields(1, resource.attributes)),
        ...scopeSpans.map((group) =>
          messageField(2, scopeField(group.scope), ...group.spans.map(spanField), textField(3, group.schemaUrl)),
        ),
        textField(3, schemaUrl),
      ),
    ),
  );

const logRecordField = (record: LogRecord): Uint8Array =>
  messageField(
    2,
    fixed64Field(1, record.timeUnixNano),
    varintField(2, record.severityNumber),
    textField(3, record.severityText),
    messageField(5, anyValueToProtobuf(record.body)),
    ...keyValueFields(6, record.attributes),
    fixed32Field(8, record.flags),
    hexField(9, record.traceId),
    hexField(10, record.spanId),
    fixed64Field(11, record.observedTimeUnixNano),
    textField(12, record.eventName),
  );

export const encodeLogsProtobuf = (logs: LogsData): Uint8Array =>
  concat(
    ...logs.resourceLogs.map(({ resource, scopeLogs, schemaUrl }) =>
      messageField(
        1,
        messageField(1, ...keyValueFields(1, resource.attributes)),
        ...scopeLogs.map((group) =>
          messageField(
            2,
            scopeField(group.scope),
            ...group.logRecords.map(logRecordField),
            textField(3, group.schemaUrl),
          ),
        ),
        textField(3, schemaUrl),
      ),
    ),
  );
