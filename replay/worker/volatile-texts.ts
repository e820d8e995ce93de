import { ATTR_ROOT_SPAN_ID, ATTR_RUN_ID } from "../../instrumentation/semconv.ts";
import { attribute } from "../../processor/evidence/span-attributes.ts";
import type { ChildRun } from "../sandbox/run-child.ts";

/** What an agent can learn about a replay that is new each time: the ids of its runs and traces, and its folder. */
export function volatileTexts({ rows, folder = "" }: Pick<ChildRun, "rows" | "folder">): string[] {
  const ids = rows.flatMap((row) => [row.TraceId, attribute(row, ATTR_RUN_ID), attribute(row, ATTR_ROOT_SPAN_ID)]);
  return [...new Set([folder, ...ids])].filter((text) => text !== "");
}
