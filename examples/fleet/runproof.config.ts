import { defineConfig } from "../../replay/config.ts";

const AGENTS = [
  "research-agent",
  "coding-agent",
  "queue-worker",
  "revenue-agent",
  "ledger-agent",
  "pricing-agent",
  "dispatch-agent",
  "oncall-agent",
];

/** Which code the fleet's fixtures are replayed with: the one that has the planted failures. */
export default defineConfig({
  agents: Object.fromEntries(AGENTS.map((agent) => [agent, { module: `./agents/${agent}.ts` }])),
});
