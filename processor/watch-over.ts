import type { Component } from "./component.ts";
import type { ServiceConfig } from "./config.ts";
import { createCollectorHeartbeat } from "./run/collector-heartbeat.ts";
import type { RunAssembler } from "./run/run-assembler.ts";
import type { RunStore } from "./run/run-store.ts";
import { createRunSweep } from "./run/run-sweep.ts";
import { createWatchdog, type Watchdog } from "./run/watchdog.ts";
import type { ServiceMeters } from "./telemetry/index.ts";

const MILLIS_PER_DAY = 86_400_000;

export interface WatchSettings {
  readonly config: Pick<ServiceConfig, "graceSeconds" | "sweepDays" | "watchdogScanSeconds">;
  readonly onError: (what: string, error: unknown) => void;
}

export interface Watched {
  readonly runs: RunStore;
  readonly assembler: RunAssembler;
  readonly collectorId: string;
  /** Receive time of the oldest record that is acknowledged and not stored, else now. */
  readonly storedThrough: () => number;
  readonly meters: ServiceMeters;
}

/** Takes over from the process before, then looks for runs that never ended; knows when nobody was looking. */
export function watchOver(
  { config, onError }: WatchSettings,
  watched: Watched,
): { readonly components: Component[]; readonly watchdog: Watchdog } {
  const { runs: store, assembler, collectorId, storedThrough, meters } = watched;
  const sweep = createRunSweep({
    collectorId,
    store,
    assembler,
    sweepMillis: config.sweepDays * MILLIS_PER_DAY,
    onError,
  });
  const heartbeat = createCollectorHeartbeat({
    collectorId,
    store,
    afterGapMillis: config.graceSeconds * 1_000,
    storedThrough,
    judgedThrough: () => Math.min(assembler.judgedThrough(), sweep.sweptThrough()),
    onError,
  });
  const watchdog = createWatchdog({
    overdue: (page) => meters.scan(() => store.overdueRuns(page)),
    abandon: (run) => assembler.abandon(run),
    clearance: () => heartbeat.clearance(),
    scanMillis: config.watchdogScanSeconds * 1_000,
    quietMillis: config.graceSeconds * 1_000,
    onError,
  });
  // The sweep reads where the process before had got to, which the first beat replaces.
  return { components: [sweep, heartbeat, watchdog], watchdog };
}
