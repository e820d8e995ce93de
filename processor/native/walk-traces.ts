import { MAX_NODES, MAX_REPEATED_LENGTH } from "../otlp/limits.ts";
import { NODES_PER_GROUP } from "../otlp/node-budget.ts";
import { ContentCache } from "./content-cache.ts";
import { embeddedMessage, forEachMessage } from "./protobuf-piece.ts";
import { type ResourceColumns, resourceColumnsFrom } from "./resource-columns.ts";
import { type ScopeColumns, scopeColumnsFrom } from "./scope-columns.ts";
import { leaveFastPath, type WireCursor } from "./wire-cursor.ts";

/** Resource and scope of a span. */
export interface SpanGroup {
  readonly resource: ResourceColumns;
  readonly scope: ScopeColumns;
}

export interface SpanVisitor {
  /** Called once per `ResourceSpans`, before its spans. */
  resource(resource: ResourceColumns): void;
  /** Called for each span, in order: it lies from `cursor.pos` to `end`, where the visitor leaves the cursor. */
  span(cursor: WireCursor, end: number, group: SpanGroup): void;
}

export type WalkTraces = (cursor: WireCursor, visitor: SpanVisitor) => void;

/** Lengths of the names `serviceName`, `name` and `version`, which `spanRowsFrom` counts with their texts. */
const REPEATED_NAMES = 22;

/**
 * Finds the spans of an `ExportTraceServiceRequest`. Resource and scope may come after the spans they describe and in
 * several pieces, so each group is passed over once before. What one request may hold is bounded as for the decoder.
 */
export function createTracesWalk(): WalkTraces {
  const resources = new ContentCache(resourceColumnsFrom);
  const scopes = new ContentCache(scopeColumnsFrom);

  return (cursor, visitor) => {
    let repeated = 0;

    function walkResource(end: number): void {
      cursor.nodes += NODES_PER_GROUP;
      const start = cursor.pos;
      const resource = resources.get(embeddedMessage(cursor, end, 1, 3));
      cursor.nodes += resource.nodes;
      visitor.resource(resource);
      forEachMessage(cursor, { start, end, field: 2 }, (scopeEnd) => walkScope(scopeEnd, resource));
    }

    function walkScope(end: number, resource: ResourceColumns): void {
      cursor.nodes += NODES_PER_GROUP;
      const start = cursor.pos;
      const scope = scopes.get(embeddedMessage(cursor, end, 1, 3));
      cursor.nodes += scope.nodes;
      const group = { resource, scope };
      const repeatedPerSpan = resource.length + resource.serviceName.length + scope.length + REPEATED_NAMES;
      forEachMessage(cursor, { start, end, field: 2 }, (spanEnd) => {
        repeated += repeatedPerSpan;
        if (repeated > MAX_REPEATED_LENGTH) leaveFastPath();
        visitor.span(cursor, spanEnd, group);
        if (cursor.nodes > MAX_NODES) leaveFastPath();
      });
    }

    const end = cursor.bytes.length;
    forEachMessage(cursor, { start: cursor.pos, end, field: 1 }, walkResource);
    if (cursor.nodes > MAX_NODES) leaveFastPath();
  };
}
