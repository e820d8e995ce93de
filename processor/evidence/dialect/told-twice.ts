import type { SpanRow } from "../../clickhouse/rows.ts";
import { compareNano } from "./compare-nano.ts";
import type { NormalisedStep } from "./normalised-step.ts";

/** Finds the step that encloses a span most closely. Parents may be missing, and may go round in circles. */
export interface Enclosing {
  /** The nearest step above the span of this id. */
  above(spanId: string): NormalisedStep | undefined;
}

export function enclosingSteps(spans: readonly SpanRow[], steps: readonly NormalisedStep[]): Enclosing {
  const parents = new Map(spans.map(({ SpanId, ParentSpanId }) => [SpanId, ParentSpanId]));
  const stepOf = new Map(steps.map((step) => [step.spanId, step]));
  const known = new Map<string, NormalisedStep | undefined>();

  function above(spanId: string): NormalisedStep | undefined {
    const way: string[] = [];
    const seen = new Set<string>();
    let at = spanId;
    let found: NormalisedStep | undefined;
    for (;;) {
      if (known.has(at)) {
        found = known.get(at);
        break;
      }
      if (seen.has(at)) break;
      seen.add(at);
      way.push(at);
      const parent = parents.get(at);
      if (parent === undefined) break;
      found = stepOf.get(parent);
      if (found !== undefined) break;
      at = parent;
    }
    for (const one of way) known.set(one, found);
    return found;
  }
  return { above };
}

/**
 * A call that two instrumentations tell of (a framework's, and one of the client below it) is one step: the outer one,
 * with what only the inner one knows. An MCP call below the tool that makes it is the same case.
 */
export function withoutRepetitions(steps: readonly NormalisedStep[], enclosing: Enclosing): NormalisedStep[] {
  const kept = new Map(steps.map((step) => [step.spanId, step]));
  // Innermost first: a step that takes one in is taken in with it.
  for (const step of steps.toSorted((a, b) => compareNano(b.startUnixNano, a.startUnixNano))) {
    const outer = enclosing.above(step.spanId);
    const current = outer && kept.get(outer.spanId);
    if (current === undefined || outer === undefined || outer.spanId === step.spanId || !isSame(outer, step)) continue;
    kept.set(outer.spanId, completed(current, kept.get(step.spanId) ?? step));
    kept.delete(step.spanId);
  }
  return [...kept.values()];
}

const isSame = (outer: NormalisedStep, inner: NormalisedStep): boolean =>
  outer.kind === inner.kind && (outer.kind === "model" || (outer.name === inner.name && outer.name !== ""));

/** Every field that says nothing is taken from the other. */
export function completed(step: NormalisedStep, other: NormalisedStep): NormalisedStep {
  const filled = Object.entries(other).filter(([name, value]) => {
    const own = step[name as keyof NormalisedStep];
    return value !== undefined && value !== "" && (own === undefined || own === "");
  });
  return {
    ...step,
    ...(Object.fromEntries(filled) as Partial<NormalisedStep>),
    isCallIdSynthetic: step.isCallIdSynthetic && other.isCallIdSynthetic,
    errorClass: step.errorClass ?? other.errorClass,
    finishReasons: step.finishReasons.length > 0 ? step.finishReasons : other.finishReasons,
    usage: step.usage.input === null ? other.usage : step.usage,
  };
}
