import type { MonitorFigures } from "../figures.ts";
import type { GateCode } from "./gate-codes.ts";
import type { GateOverride } from "./override.ts";

/** runproof's own project scope, as far as the gate is concerned. */
export interface GateScope {
  /** Drift is to stop things, not only to be told. */
  readonly enforced: boolean;
  readonly synced: boolean;
  readonly authorized: boolean;
  readonly message: string;
}

/**
 * Everything the gate looks at. `undefined` is unknown, and unknown closes: a part that cannot be asked proves nothing.
 * Times are milliseconds since the epoch.
 */
export interface GateInput {
  readonly lifecycle: "starting" | "running" | "draining" | undefined;
  readonly startedAt: number | undefined;
  /** `figures` are missing until the first look; `problem` is that of the last look, while it failed. */
  readonly monitor:
    | {
        readonly figures: MonitorFigures | undefined;
        readonly intervalMillis: number;
        readonly problem: string | undefined;
        /** Why alerts are not raised or do not go out, if so. */
        readonly alerting: string | undefined;
      }
    | undefined;
  readonly store: { readonly up: boolean; readonly problem: string | undefined } | undefined;
  /** `share` of its bound that is taken, 0 to 1. */
  readonly spool: { readonly writable: boolean; readonly share: number } | undefined;
  /** `quietMillis`: how long after a start it concludes nothing. */
  readonly watchdog:
    | { readonly lastScanAt: number | null; readonly scanMillis: number; readonly quietMillis: number }
    | undefined;
  /** `none`: no scope is configured. */
  readonly scope: GateScope | "none" | undefined;
  readonly overrides: readonly GateOverride[];
}

/** What the gate insists on. */
export interface GatePolicy {
  /** Tiers whose fixtures must prove themselves. */
  readonly tiers: readonly string[];
  /** Open although no certified fixture proves anything. */
  readonly allowNoFixtures: boolean;
  /** Abandoned production runs of the window that are put up with. */
  readonly maxAbandonedRuns: number;
  /** Production runs of the window that promised something and ended without proof either way. */
  readonly maxUnverifiedRuns: number;
  /** An alert that fires closes the gate. */
  readonly alertsClose: boolean;
}

export const STRICT_POLICY: GatePolicy = {
  tiers: ["critical"],
  allowNoFixtures: false,
  maxAbandonedRuns: 0,
  maxUnverifiedRuns: 0,
  alertsClose: true,
};

export interface GateReason {
  readonly code: GateCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The gate's answer. */
export interface GateDecision {
  readonly open: boolean;
  /** Why it is closed; empty when it is open. */
  readonly reasons: readonly GateReason[];
  /** What somebody answers for, with the override's id. */
  readonly overridden: readonly (GateReason & { readonly override_id: string })[];
  /** Those in force. */
  readonly overrides: readonly GateOverride[];
}
