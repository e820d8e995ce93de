import { describe, expect, it } from "vitest";

import { EngineError } from "./engine-error.ts";
import {
  assertProjectReadable,
  assertProjectRequest,
  inProjectDatabase,
  withoutInternals,
} from "./project-statement.ts";

describe("a name with the database in front", () => {
  it.each([
    ["SELECT * FROM default.otel_traces", "SELECT * FROM runproof_reader.otel_traces"],
    ['SELECT * FROM "default" . `otel_logs`', "SELECT * FROM runproof_reader . `otel_logs`"],
    [
      "SELECT default.otel_logs.Body FROM default.otel_logs",
      "SELECT runproof_reader.otel_logs.Body FROM runproof_reader.otel_logs",
    ],
    ["SELECT 'default.otel_logs' -- default.x", "SELECT 'default.otel_logs' -- default.x"],
    ["SELECT a.default.b, default FROM t", "SELECT a.default.b, default FROM t"],
    ["SELECT * FROM Default.otel_logs", "SELECT * FROM Default.otel_logs"],
  ])("%s", (sql, expected) => {
    expect(inProjectDatabase(sql)).toBe(expected);
  });
});

describe("a statement that asks about more than rows", () => {
  it.each([
    "SELECT * FROM system.parts",
    "SELECT * FROM `SYSTEM`.parts",
    "SELECT 1 FROM/**/information_schema.tables",
    "SHOW TABLES FROM system",
    "SHOW FULL TABLES",
    "(EXPLAIN SELECT 1)",
    "SELECT * FROM { t : Identifier }",
    "SELECT * FROM {t:identifier}",
    "SELECT arrayMap(blockNumber, [1])",
    "SELECT 1 FORMAT JSONEachRowWithProgress",
    "SELECT 1 FORMAT Template",
    'SELECT 1 FORMAT "JSONEachRowWithProgress"',
    "SELECT * FROM merge ('.*')",
    "SELECT dictGetOrDefault('d', 'a', 1, 2)",
  ])("is refused: %s", (sql) => {
    expect(() => assertProjectReadable(sql)).toThrow(EngineError);
  });

  it.each(["SHOW TABLES", "SELECT 'system.parts'", "SELECT {system_name:String}", "SELECT merged FROM t FORMAT JSON"])(
    "is none: %s",
    (sql) => {
      expect(() => assertProjectReadable(sql)).not.toThrow();
    },
  );
});

it("a request may name the default database and nothing that counts other rows", () => {
  const request = { credential: { user: "", password: "" }, query: "", parameters: new Map(), settings: new Map() };
  assertProjectRequest({ ...request, database: "default", defaultFormat: "JSON" });
  expect(() => assertProjectRequest({ ...request, database: "system" })).toThrow("does not exist");
  expect(() => assertProjectRequest({ ...request, defaultFormat: "JSONCompactEachRowWithProgress" })).toThrow("format");
  expect(() => assertProjectRequest({ ...request, settings: new Map([["max_rows_to_read", "1"]]) })).toThrow("unknown");
});

it("an error says what is wrong and not where the rows lie", () => {
  const text =
    "Cannot parse x: (while reading from part /data/store/a/all_1_1_0/ in table t): While executing MergeTreeSelect(pool: ReadPool, algorithm: Thread)";
  expect(withoutInternals(new EngineError(6, "CANNOT_PARSE_TEXT", text)).message).toBe("Cannot parse x");
  const step = "Cannot read x: while executing 'FUNCTION f(CAST(a :: 3)) : 4'";
  expect(withoutInternals(new EngineError(27, "X", step)).message).toBe("Cannot read x");
  expect(withoutInternals(new EngineError(241, "MEMORY_LIMIT_EXCEEDED", "(total) would use 5 GiB")).message).toBe(
    "Memory limit exceeded",
  );
});
