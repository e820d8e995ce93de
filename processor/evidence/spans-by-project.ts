import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { attribute, resourceAttribute } from "./span-attributes.ts";

/** The project a span says it belongs to, `''` for none. Under a token the receiver stamped both places with the same. */
export const projectOfSpan = (span: SpanRow): string =>
  attribute(span, semconv.ATTR_PROJECT) || resourceAttribute(span, semconv.ATTR_PROJECT);

/**
 * The spans of a run by project: one project's spans never speak for another's run, though it names the same ids.
 *
 * Spans without a project belong to whichever run names them: without tokens the agent's own SDK sends calls that carry
 * none, beside records that do; with tokens every span carries one.
 */
export function spansByProject(spans: readonly SpanRow[]): ReadonlyMap<string, readonly SpanRow[]> {
  const groups = Map.groupBy(spans, projectOfSpan);
  const nobodys = groups.get("");
  if (nobodys === undefined || groups.size === 1) return groups;
  groups.delete("");
  return new Map([...groups].map(([project, own]) => [project, [...own, ...nobodys]]));
}
