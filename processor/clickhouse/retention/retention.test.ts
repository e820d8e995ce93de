import { describe, expect, it } from "vitest";

import { parseRetention } from "./retention.ts";
import { tableTtl } from "./table-ttl.ts";

describe("the retention", () => {
  it("keeps everything for ever unless told otherwise", () => {
    const retention = parseRetention({});
    expect(new Set(Object.values(retention.tables))).toEqual(new Set(["forever"]));
    expect(tableTtl("otel_traces", retention)).toEqual({ expression: undefined, hasProjectRules: false });
  });

  it("takes general days for every table that is not named", () => {
    const { tables } = parseRetention({ otel_traces: 30, runproof_runs: "forever" }, 90);
    expect(tables).toMatchObject({
      otel_traces: 30,
      runproof_runs: "forever",
      otel_logs: 90,
      runproof_monitor_gaps: 90,
    });
  });

  it.each([
    [{ otel_trace: 30 }, "otel_trace"],
    [{ runproof_contracts: 30 }, "runproof_contracts"],
    [{ otel_traces_trace_id_ts: 30 }, "otel_traces_trace_id_ts"],
    [{ otel_traces: 0 }, "otel_traces: must be a number of days"],
    [{ otel_traces: 1.5 }, "otel_traces"],
    [{ otel_traces: "30" }, "otel_traces"],
    [{ projects: { "a' OR 1 --": { otel_traces: 1 } } }, "projects"],
    [{ projects: { a: { runproof_monitor_gaps: 1 } } }, "runproof_monitor_gaps"],
    [{ projects: { a: 7 } }, "a"],
    ["30", ""],
  ])("refuses %j", (document, problem) => {
    expect(() => parseRetention(document)).toThrow(problem);
  });
});

describe("the TTL of a table", () => {
  const ttl = (document: object, table = "otel_traces") => tableTtl(table, parseRetention(document)).expression;

  it("is one clause without rules for projects", () => {
    expect(ttl({ otel_traces: 30 })).toBe("toDateTime(Timestamp) + toIntervalDay(30)");
    expect(ttl({ runproof_runs: 9 }, "runproof_runs")).toBe("toDateTime(received_at) + toIntervalDay(9)");
  });

  it("leaves projects with a rule of their own out of the general one", () => {
    const projects = {
      b: { otel_traces: 7 },
      a: { otel_traces: 7 },
      c: { otel_traces: 90 },
      d: { otel_traces: "forever" },
    };
    expect(ttl({ otel_traces: 30, projects })?.split(", toDateTime")).toEqual([
      "toDateTime(Timestamp) + toIntervalDay(7) DELETE WHERE Project IN ('a', 'b')",
      "(Timestamp) + toIntervalDay(90) DELETE WHERE Project IN ('c')",
      "(Timestamp) + toIntervalDay(30) DELETE WHERE Project NOT IN ('a', 'b', 'c', 'd')",
    ]);
  });

  it("has only the projects' clauses when the rest stays for ever", () => {
    expect(ttl({ projects: { a: { otel_logs: 7 } } }, "otel_logs")).toBe(
      "toDateTime(Timestamp) + toIntervalDay(7) DELETE WHERE Project IN ('a')",
    );
  });

  it("does not split parts for a rule that says what the general one says", () => {
    const same = parseRetention({ otel_traces: 30, projects: { a: { otel_traces: 30 } } });
    expect(tableTtl("otel_traces", same)).toMatchObject({ hasProjectRules: false });
  });

  it("of the traces' times follows the traces", () => {
    expect(ttl({ otel_traces: 30 }, "otel_traces_trace_id_ts")).toBe("End + toIntervalDay(30)");
  });
});
