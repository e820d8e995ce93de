import { reportFailure } from "../fail-open.ts";
import { driftEvent, type ScopeDriftEvent } from "./scope-drift.ts";
import type { ScopeStatus } from "./scope-status.ts";

/** Told of drift. What it throws is reported and goes no further. */
export type EmitDrift = (event: ScopeDriftEvent) => void | Promise<void>;

export interface DriftReporter {
  /** Emits the event of a status, if there is one. */
  report(status: ScopeStatus): void;
}

export interface DriftReporterOptions {
  readonly emit: EmitDrift;
  /** The same event is emitted again after this time only. */
  readonly repeatMillis: number;
}

/** A loop of operations meets the same drift each time; who reads the events wants to hear of changes, and now and then. */
export function createDriftReporter({ emit, repeatMillis }: DriftReporterOptions): DriftReporter {
  let last: { readonly text: string; readonly at: number } | undefined;
  return {
    report(status) {
      const event = driftEvent(status);
      if (event === undefined) {
        last = undefined;
        return;
      }
      const text = JSON.stringify(event);
      if (last?.text === text && status.checkedAt < last.at + repeatMillis) return;
      last = { text, at: status.checkedAt };
      try {
        Promise.resolve(emit(event)).catch((error: unknown) => reportFailure("emitting a scope drift", error));
      } catch (error) {
        reportFailure("emitting a scope drift", error);
      }
    },
  };
}
