import { defineContract } from "../../instrumentation/index.ts";

/** What a coding run promises: the module is there, and the check that came with the issue passes on it. */
export const codingContract = defineContract({
  agent: "coding-agent",
  artifacts: [{ name: "module", path: "src/slug.mjs" }],
  tools: { allowed: ["read_issue", "propose_code"] },
  verification: { command: ["node", "src/slug.check.mjs"], timeoutSeconds: 20 },
  limits: { timeoutSeconds: 60, maxSteps: 10 },
});
