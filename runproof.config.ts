import { defineConfig } from "./replay/config.ts";

/** Which code the fixtures of this repository are replayed with. Users import `defineConfig` from `runproof/replay`. */
export default defineConfig({
  agents: {
    "research-agent": { module: "./examples/research-agent/fixed.ts" },
    "queue-worker": { module: "./examples/queue-worker/fixed.ts" },
    "coding-agent": { module: "./examples/coding-agent/fixed.ts" },
    "browser-agent": { module: "./examples/browser-agent/fixed.ts" },
    "revenue-agent": { module: "./examples/revenue-agent/fixed.ts" },
    "tau-airline": { module: "./examples/tau-bench/airline-agent.ts" },
  },
});
