import { trace } from "@opentelemetry/api";
import { failOpen } from "../fail-open.ts";
import { recordEvent } from "../run/record-event.ts";
import { currentScope } from "../run/run-scope.ts";
import * as semconv from "../semconv.ts";
import type { ScopeDriftEvent } from "./scope-drift.ts";
import type { ScopeStatus } from "./scope-status.ts";

/** The event's fields as attributes of OpenTelemetry, which knows no `null`: an empty text, which no scope is. */
export const driftAttributes = (event: ScopeDriftEvent) => ({
  runtime_scope: event.runtime_scope ?? "",
  local_scope: event.local_scope ?? "",
  cloud_scope: event.cloud_scope ?? "",
  resolved_scope: event.resolved_scope ?? "",
  authorized: event.authorized,
  reason: event.reason,
  action_required: event.action_required,
  "drift_snapshot.source_precedence": [...event.drift_snapshot.source_precedence],
});

/**
 * In a run: a recorded event, which survives the process. Outside of one: an event of the active span, if there is one.
 */
export function emitScopeDrift(event: ScopeDriftEvent): void {
  const run = currentScope()?.run;
  if (run !== undefined)
    void recordEvent(run, semconv.EVENT_SCOPE_DRIFT, { ...event, drift_snapshot: snapshotOf(event) });
  failOpen(
    "adding a scope drift to the span",
    () => {
      const span = trace.getActiveSpan();
      // The run's own span has it from the recorded event.
      if (span?.spanContext().spanId !== run?.rootSpanId) {
        span?.addEvent(semconv.EVENT_SCOPE_DRIFT, driftAttributes(event));
      }
    },
    undefined,
  );
}

const snapshotOf = ({ drift_snapshot: { source_precedence: names } }: ScopeDriftEvent) => ({
  source_precedence: [...names],
});

/** Runs and their spans carry the scope they worked in. */
export function markScope({ scope, state }: ScopeStatus): void {
  failOpen(
    "marking a span with its scope",
    () => {
      const attributes = { [semconv.ATTR_SCOPE]: scope ?? "", [semconv.ATTR_SCOPE_STATE]: state };
      trace.getActiveSpan()?.setAttributes(attributes);
      currentScope()?.run.span.setAttributes(attributes);
    },
    undefined,
  );
}
