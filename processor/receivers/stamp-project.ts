import { ATTR_PROJECT, ATTR_PROJECT_CLAIMED } from "../../instrumentation/semconv.ts";
import type { AttributeMap, LogRow, SpanRow } from "../clickhouse/rows.ts";

/**
 * Makes the credential's project the project of fresh rows, before anybody else has seen them. Doing it twice is doing
 * it once, also for maps that rows share.
 *
 * The record's own attribute is overruled too: readers prefer it to the resource's.
 */
export function stampProject(rows: readonly (SpanRow | LogRow)[], project: string): void {
  for (const row of rows) {
    stampResource(row.ResourceAttributes, project);
    overrule("SpanAttributes" in row ? row.SpanAttributes : row.LogAttributes, project);
  }
}

/** The part of `stampProject` that is the same for all rows of a resource. */
export function stampResource(attributes: AttributeMap, project: string): void {
  overrule(attributes, project);
  attributes[ATTR_PROJECT] = project;
}

function overrule(attributes: AttributeMap, project: string): void {
  const claimed = attributes[ATTR_PROJECT];
  if (claimed === undefined || claimed === project) return;
  attributes[ATTR_PROJECT] = project;
  attributes[ATTR_PROJECT_CLAIMED] = claimed;
}
