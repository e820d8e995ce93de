import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { callFromSpan } from "./call-from-span.ts";
import { distinctSpans } from "./distinct-spans.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { attribute } from "./span-attributes.ts";

/** Recorded calls of the runs that were opened inside a run, at any depth. Pure; spans of other runs change nothing. */
export function callsOfSubRuns(runId: string, spans: readonly SpanRow[]): RecordedCall[] {
  const below = descendants(runId, spans);
  if (below.size === 0) return [];
  return distinctSpans(spans.filter((span) => below.has(attribute(span, semconv.ATTR_RUN_ID))))
    .map(callFromSpan)
    .filter((call) => call !== null);
}

/** Sets grow while they are walked, so grandchildren are met too; a run that names itself as its parent is met once. */
function descendants(runId: string, spans: readonly SpanRow[]): ReadonlySet<string> {
  const parents = spans.filter((span) => attribute(span, semconv.ATTR_PARENT_RUN_ID) !== "");
  const found = new Set<string>();
  if (parents.length === 0) return found;
  const below = (parent: string): void => {
    for (const span of parents) {
      const child = attribute(span, semconv.ATTR_RUN_ID);
      if (attribute(span, semconv.ATTR_PARENT_RUN_ID) === parent && child !== runId) found.add(child);
    }
  };
  below(runId);
  for (const child of found) below(child);
  return found;
}
