import * as semconv from "../../instrumentation/semconv.ts";

/** Events of a run after which nothing more is expected of it. */
export const LAST_EVENTS: ReadonlySet<string> = new Set([
  semconv.RUN_EVENT_ROOT,
  semconv.RUN_EVENT_CLOSE,
  semconv.RUN_EVENT_PROCESS_EXIT,
  semconv.RUN_EVENT_PROCESS_DIED,
]);
