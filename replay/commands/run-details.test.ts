import { describe, expect, test } from "vitest";
import { runRow } from "../../processor/clickhouse/testing/row-samples.ts";
import { readStoredBodies } from "../../processor/evidence/dialect/testing/capture/stored-bodies.ts";
import { runFactsFromTrace } from "../../processor/evidence/trace-run-facts.ts";
import { judge } from "../../processor/verdict/judge.ts";
import { failedFacts } from "../testing/facts.ts";
import { runDetails, runDetailsText } from "./run-details.ts";

const { spans, logs } = readStoredBodies("opentelemetry-instrumentation-openai-0.22.0-whole.otlp.json");

function detailsOf(withLogs: boolean) {
  const facts = runFactsFromTrace({ traceId: "t", spans, logs: withLogs ? logs : [] }, { contractOf: () => undefined });
  return runDetails({ row: runRow(), facts, verdict: judge(facts.evidence, facts.contract) }, []);
}

describe("runproof runs show", () => {
  test("grades a run that another instrumentation recorded, and says what its steps lack", () => {
    expect(detailsOf(true).completeness?.grade).toBe("replayable");
    expect(runDetailsText(detailsOf(true))).toContain("completeness\n  replayable\n  also without: tool definitions;");
    const poor = runDetailsText(detailsOf(false));
    expect(poor).toContain("  incomplete\n");
    expect(poor).toContain("  model m-1 (1 of 2): lacks output messages, needed for a verdict\n");
  });

  test("has no grade for a run that runproof recorded", () => {
    const facts = failedFacts();
    const details = runDetails({ row: runRow(), facts, verdict: judge(facts.evidence, facts.contract) }, []);
    expect(details.completeness).toBeNull();
    expect(runDetailsText(details)).not.toContain("completeness");
  });
});
