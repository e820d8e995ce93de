import type { AnyValue, KeyValue, LogsData, TracesData } from "../model.ts";

/** The model as an OTLP/JSON request, for tests. */

function anyValue(value: AnyValue): unknown {
  switch (value.type) {
    case "empty":
      return {};
    case "intValue":
      return { intValue: value.value.toString() };
    case "doubleValue":
      return {
        doubleValue: Number.isFinite(value.value) && !Object.is(value.value, -0) ? value.value : text(value.value),
      };
    case "arrayValue":
      return { arrayValue: { values: value.value.map(anyValue) } };
    case "kvlistValue":
      return { kvlistValue: { values: keyValues(value.value) } };
    case "bytesValue":
      return { bytesValue: Buffer.from(value.value).toString("base64") };
    default:
      return { [value.type]: value.value };
  }
}

/** `JSON.stringify` turns -0 into 0 and the rest into `null`. */
const text = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

const keyValues = (items: readonly KeyValue[]): unknown[] =>
  items.map(({ key, value }) => ({ key, value: anyValue(value) }));

const withAttributes = <T extends { attributes: KeyValue[] }>(record: T): unknown => ({
  ...record,
  attributes: keyValues(record.attributes),
});

/** 64-bit fields as decimal text. */
const stringify = (document: unknown): Uint8Array =>
  Buffer.from(JSON.stringify(document, (_key, value) => (typeof value === "bigint" ? value.toString() : value)));

export const encodeTracesJson = (traces: TracesData): Uint8Array =>
  stringify({
    resourceSpans: traces.resourceSpans.map((group) => ({
      ...group,
      resource: withAttributes(group.resource),
      scopeSpans: group.scopeSpans.map((scopeGroup) => ({
        ...scopeGroup,
        scope: withAttributes(scopeGroup.scope),
        spans: scopeGroup.spans.map((span) => ({
          ...span,
          attributes: keyValues(span.attributes),
          events: span.events.map(withAttributes),
          links: span.links.map(withAttributes),
        })),
      })),
    })),
  });

export const encodeLogsJson = (logs: LogsData): Uint8Array =>
  stringify({
    resourceLogs: logs.resourceLogs.map((group) => ({
      ...group,
      resource: withAttributes(group.resource),
      scopeLogs: group.scopeLogs.map((scopeGroup) => ({
        ...scopeGroup,
        scope: withAttributes(scopeGroup.scope),
        logRecords: scopeGroup.logRecords.map((record) => ({
          ...record,
          body: anyValue(record.body),
          attributes: keyValues(record.attributes),
        })),
      })),
    })),
  });
