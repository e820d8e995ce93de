import { defineConfig } from "./replay/config.ts";

/** Which code the fixtures of this repository are replayed with. Users import `defineConfig` from `runproof/replay`. */
export default defineConfig({
  agents: {
    "research-agent": { module: "./examples/research-agent/fixed.ts" },
    "queue-worker": { module: "./examples/queue-worker/fixed.ts" },
    "coding-agent": { module: "./examples/coding-agent/fixed.ts" },
    "browser-agent": { module: "./examples/browser-agent/fixed.ts" },
    "revenue-agent": { module: "./examples/revenue-agent/fixed.ts" },
    "ledger-agent": { module: "./examples/ledger-agent/fixed.ts" },
    "pricing-agent": { module: "./examples/pricing-agent/fixed.ts" },
    "dispatch-agent": { module: "./examples/dispatch-agent/fixed.ts" },
    "oncall-agent": { module: "./examples/oncall-agent/fixed.ts" },
    "price-editor": { module: "./examples/scope-mixup/fixed.ts" },
    "tau-airline": { module: "./examples/tau-bench/airline-agent.ts" },
  },
  canary: {
    tiers: {
      // fixtures/README.md says what each of them covers.
      critical: {
        fixtures: [
          "unreleased_claim",
          "misread_amount",
          "missing_artifact_ref",
          "swallowed_retries",
          "outage_taken_for_success",
          "unverified_code",
          "alert_resolved_as_duplicate",
        ],
      },
    },
  },
});
