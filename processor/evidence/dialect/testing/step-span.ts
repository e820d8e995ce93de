import type { AttributeMap, LogRow, SpanRow } from "../../../clickhouse/rows.ts";
import { spanRow } from "../../../clickhouse/testing/row-samples.ts";

let count = 0;

/** A span of some emitter; spans made later begin later. */
export function foreignSpan(attributes: Readonly<Record<string, unknown>>, fields: Partial<SpanRow> = {}): SpanRow {
  const number = ++count;
  return spanRow({
    TraceId: "a".repeat(32),
    SpanId: number.toString(16).padStart(16, "0"),
    ParentSpanId: "",
    SpanName: "span",
    ServiceName: "service",
    Timestamp: String(1_795_242_245_000_000_000n + BigInt(number) * 1_000_000n),
    Duration: "500000",
    SpanAttributes: textMap(attributes),
    ResourceAttributes: {},
    StatusCode: "Unset",
    ...fields,
  });
}

/** As the store has them: every value is text. */
export const textMap = (attributes: Readonly<Record<string, unknown>>): AttributeMap =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );

export const eventFields = (events: readonly (readonly [string, Readonly<Record<string, unknown>>])[]) => ({
  "Events.Timestamp": events.map((_, index) => String(1_795_242_245_000_000_000n + BigInt(index))),
  "Events.Name": events.map(([name]) => name),
  "Events.Attributes": events.map(([, attributes]) => textMap(attributes)),
});

export const logOf = (
  span: SpanRow,
  name: string,
  body: unknown,
  attributes: Record<string, unknown> = {},
): LogRow => ({
  Timestamp: String(BigInt(span.Timestamp) + BigInt(++count)),
  TraceId: span.TraceId,
  SpanId: span.SpanId,
  TraceFlags: 1,
  SeverityText: "",
  SeverityNumber: 9,
  ServiceName: span.ServiceName,
  Body: typeof body === "string" ? body : JSON.stringify(body),
  ResourceSchemaUrl: "",
  ResourceAttributes: {},
  ScopeSchemaUrl: "",
  ScopeName: "",
  ScopeVersion: "",
  ScopeAttributes: {},
  LogAttributes: textMap(attributes),
  EventName: name,
});
