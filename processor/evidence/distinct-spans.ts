import type { SpanRow } from "../clickhouse/rows.ts";

/** One span per id: senders retry. Of two that differ the same one always wins, whatever their order. */
export function distinctSpans(spans: readonly SpanRow[]): SpanRow[] {
  const unique = new Map<string, SpanRow>();
  for (const span of spans) {
    const other = unique.get(span.SpanId);
    if (other === undefined || JSON.stringify(span) > JSON.stringify(other)) unique.set(span.SpanId, span);
  }
  return [...unique.values()].sort((a, b) => (a.SpanId < b.SpanId ? -1 : 1));
}
