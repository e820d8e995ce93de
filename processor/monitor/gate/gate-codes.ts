/** Why the gate is closed. A stable contract: overrides name these, and so do rules on `runproof_gate_reasons`. */
export const GATE_CODES = [
  "starting",
  "stopping",
  "monitor_silent",
  "alerting_failed",
  "store_unavailable",
  "spool_unavailable",
  "spool_full",
  "watchdog_silent",
  "no_fixtures",
  "canary_silent",
  "fixture_failing",
  "fixture_stale",
  "fixture_unknown",
  "runs_abandoned",
  "claims_unverified",
  "alert_open",
  "scope_drift",
] as const;

export type GateCode = (typeof GATE_CODES)[number];
