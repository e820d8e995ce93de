import { describe, expect, it } from "vitest";
import { LOG_COLUMNS } from "../clickhouse/rows.ts";
import { MAX_TEXT_BYTES, MAX_TIME_UNIX_NANO } from "./limits.ts";
import { logRowsFrom } from "./log-rows.ts";
import type { LogRecord } from "./model.ts";
import { attribute, logRecord, logs, SPAN_ID, stringValue, TIME, TRACE_ID } from "./testing/model-builders.ts";

const rowOf = (overrides: Partial<LogRecord>) => logRowsFrom(logs([logRecord(overrides)])).rows[0]!;

describe("logRowsFrom", () => {
  it("writes a record value for value as the Collector's exporter does", () => {
    const record = logRecord({
      body: { type: "kvlistValue", value: [attribute("b", "2"), attribute("a", "1")] },
      attributes: [attribute("k", { type: "boolValue", value: true })],
      eventName: "gen_ai.evaluation.result",
    });
    const [row] = logRowsFrom(logs([record], [attribute("service.name", "agent")])).rows;
    expect(JSON.parse(JSON.stringify(row))).toEqual({
      Timestamp: "1795242245995000001",
      TraceId: TRACE_ID,
      SpanId: SPAN_ID,
      TraceFlags: 1,
      SeverityText: "INFO",
      SeverityNumber: 9,
      ServiceName: "agent",
      Body: '{"a":"1","b":"2"}',
      ResourceSchemaUrl: "https://resource.example",
      ResourceAttributes: { "service.name": "agent" },
      ScopeSchemaUrl: "https://scope.example",
      ScopeName: "runproof",
      ScopeVersion: "0.1.0",
      ScopeAttributes: {},
      LogAttributes: { k: "true" },
      EventName: "gen_ai.evaluation.result",
    });
    expect(Object.keys(row!).sort()).toEqual([...LOG_COLUMNS].sort());
  });

  it("takes the observed time when the record has none", () => {
    expect(rowOf({ timeUnixNano: 0n, observedTimeUnixNano: TIME + 8n }).Timestamp).toBe("1795242245995000009");
    expect(rowOf({ observedTimeUnixNano: TIME + 8n }).Timestamp).toBe("1795242245995000001");
  });

  it("takes the event name from the field, else from the attribute", () => {
    const attributes = [attribute("event.name", "old")];
    expect(rowOf({ attributes }).EventName).toBe("old");
    expect(rowOf({ attributes, eventName: "new" }).EventName).toBe("new");
    expect(rowOf({}).EventName).toBe("");
  });

  it("stores a record without trace context", () => {
    expect(rowOf({ traceId: "", spanId: "" })).toMatchObject({ TraceId: "", SpanId: "" });
    expect(rowOf({ traceId: "0".repeat(32), spanId: "0".repeat(16) })).toMatchObject({ TraceId: "", SpanId: "" });
  });

  it("keeps the low byte of flags and severity, which is what the columns hold", () => {
    expect(rowOf({ flags: 0x1_01, severityNumber: 300 })).toMatchObject({ TraceFlags: 1, SeverityNumber: 44 });
  });

  it.each<[string, Partial<LogRecord>, string]>([
    ["a broken trace id", { traceId: "ab" }, "trace_id must be 16 bytes"],
    ["a broken span id", { spanId: "xyz" }, "span_id must be 8 bytes"],
    [
      "a time after 2262",
      { timeUnixNano: MAX_TIME_UNIX_NANO + 1n },
      "time_unix_nano or observed_time_unix_nano must be",
    ],
  ])("rejects a record with %s and keeps the rest", (_name, overrides, reason) => {
    const batch = logRowsFrom(logs([logRecord(overrides), logRecord({ severityText: "kept" })]));
    expect(batch.rows.map((row) => row.SeverityText)).toEqual(["kept"]);
    expect([...batch.rejections]).toEqual([[expect.stringContaining(reason), 1]]);
  });

  it("cuts a body over the limit and names it in the record's attributes", () => {
    const row = rowOf({ body: stringValue("x".repeat(MAX_TEXT_BYTES + 5)) });
    expect(row.Body).toHaveLength(MAX_TEXT_BYTES);
    expect(JSON.parse(row.LogAttributes["runproof.truncated"]!)).toMatchObject({
      values: [{ column: "Body", bytes: MAX_TEXT_BYTES + 5 }],
    });
  });

  it("keeps `__proto__` as an attribute of record and resource", () => {
    const model = logs([logRecord({ attributes: [attribute("__proto__", "a")] })], [attribute("__proto__", "r")]);
    const [row] = logRowsFrom(model).rows;
    expect(JSON.stringify(row!.LogAttributes)).toBe('{"__proto__":"a"}');
    expect(JSON.stringify(row!.ResourceAttributes)).toBe('{"__proto__":"r"}');
  });

  it("refuses a large resource over many records before it multiplies", () => {
    const records = Array.from({ length: 300 }, () => logRecord());
    expect(() => logRowsFrom(logs(records, [attribute("r", "x".repeat(MAX_TEXT_BYTES))]))).toThrow(
      expect.objectContaining({ code: "too_many" }),
    );
  });
});
