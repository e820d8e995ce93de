import { defineContract } from "../../instrumentation/index.ts";

/** What a research run promises: a report with substance, from at least two pages it read, and nothing changed elsewhere. */
export const researchContract = defineContract({
  agent: "research-agent",
  artifacts: [{ name: "report", kind: "report", path: "out/report.md", minBytes: 200 }],
  tools: { allowed: ["search", "read_page"] },
  sideEffects: {
    expected: [{ tool: "read_page", times: { atLeast: 2 } }],
    others: "forbid",
  },
  limits: { timeoutSeconds: 30, maxSteps: 20 },
});
