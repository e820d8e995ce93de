import { context, type Context } from "@opentelemetry/api";
import { currentScope, inScope, newScope, nextCallPath, type StepScope } from "../../run/run-scope.ts";

/**
 * A place in a run that work can be taken back to. Streams and event loops of a stack call back from anywhere; what
 * they call belongs to the step that began it.
 */
export interface Place {
  within<Result>(work: () => Result): Result;
  /** The next step of `name` below this one, with ordinals of its own: what it calls does not depend on the others. */
  step(name: string): Place;
}

/** The place of the current code; `undefined` outside of every run, and in one that is being closed. */
export function placeHere(): Place | undefined {
  const scope = currentScope();
  return scope === undefined || scope.run.closing !== undefined ? undefined : placeAt(scope, context.active());
}

const placeAt = (scope: StepScope, active: Context): Place => ({
  within: (work) => inScope(scope, () => context.with(active, work)),
  step(name) {
    const path = nextCallPath(scope, scope.run.runtime.redactor.text(String(name)).slice(0, MAX_NAME));
    const below = { ...newScope(scope.run, path, scope.spanId), observing: scope.observing };
    return placeAt(below, active);
  },
});

const MAX_NAME = 200;
