import type { SpanRow } from "../clickhouse/rows.ts";
import type { NormalisedRun } from "./dialect/index.ts";

/** The span that a trace's run begins and ends with. */
export interface TraceRoot {
  /** `undefined` for a trace without any step of an agent. */
  readonly span: SpanRow | undefined;
  /** It is the outermost one of its service, and spans are sent when they end: the run is over. */
  readonly isEnd: boolean;
  /** The run ended with an error: its agent's, else the outermost span's. */
  readonly errorClass: string | null;
}

/** Spans that are an entry into their service, whatever called them. */
const ENTRIES = new Set(["Server", "Consumer"]);

/** Whether a span is the outermost one of its service. The store asks the same of its columns. */
export const isOutermost = ({ ParentSpanId, SpanKind }: SpanRow): boolean =>
  ParentSpanId === "" || ENTRIES.has(SpanKind);

/**
 * The outermost agent or workflow where there is one; else the outermost span, or as long as that has not come the
 * earliest one above a step. The end is told by the outermost span: an agent's own may be followed by others.
 */
export function traceRoot(spans: readonly SpanRow[], run: NormalisedRun): TraceRoot {
  const byId = new Map(spans.map((span) => [span.SpanId, span]));
  const outermost = spans.filter(isOutermost).toSorted(byStart)[0];
  const step = run.root === undefined ? undefined : byId.get(run.root.spanId);
  const first = run.steps[0];
  if (first === undefined) return { span: undefined, isEnd: false, errorClass: null };
  const span = step ?? outermost ?? topOf(byId, first.spanId);
  const failed = run.root?.errorClass ?? (step === undefined ? errorOf(outermost) : null);
  return { span, isEnd: outermost !== undefined, errorClass: failed };
}

const errorOf = (span: SpanRow | undefined): string | null => (span?.StatusCode === "Error" ? "_OTHER" : null);

/** The highest span that is there; a circle of parents ends where it began. */
function topOf(byId: ReadonlyMap<string, SpanRow>, spanId: string): SpanRow | undefined {
  let at = byId.get(spanId);
  for (const seen = new Set<string>(); at !== undefined && !seen.has(at.SpanId);) {
    seen.add(at.SpanId);
    const parent = byId.get(at.ParentSpanId);
    if (parent === undefined) return at;
    at = parent;
  }
  return at;
}

const byStart = (a: SpanRow, b: SpanRow): number => {
  const apart = BigInt(a.Timestamp) - BigInt(b.Timestamp);
  return apart === 0n ? (a.SpanId < b.SpanId ? -1 : 1) : apart < 0n ? -1 : 1;
};
