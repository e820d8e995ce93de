import * as semconv from "../../../instrumentation/semconv.ts";
import type { SpanRow } from "../../clickhouse/rows.ts";
import type { Dialect } from "./dialects.ts";
import { KIND_RULES, SPAN_NAMES } from "./kind-names.ts";
import type { StepKind } from "./normalised-step.ts";
import { textOfName } from "./read-field.ts";

export interface Told {
  readonly kind: StepKind;
  readonly dialect: Dialect;
}

/** What a span stands for; `undefined` for one that is no step of an agent. */
export function kindOfSpan(span: SpanRow): Told | undefined {
  const attributes = span.SpanAttributes;
  for (const { name, values, dialect } of KIND_RULES) {
    const text = textOfName(attributes, name);
    const kind = text === "" ? undefined : kindOf(values, text);
    if (kind !== undefined) return { kind, dialect: dialectOf(span, dialect) };
  }
  const named = Object.hasOwn(SPAN_NAMES, span.SpanName) ? SPAN_NAMES[span.SpanName] : undefined;
  return named && { kind: named[0], dialect: named[1] };
}

const kindOf = (values: Readonly<Record<string, StepKind>>, text: string): StepKind | undefined =>
  Object.hasOwn(values, text) ? values[text] : values["*"];

/** Many write OpenTelemetry's names and some of their own: the own ones tell who they are. */
function dialectOf({ SpanAttributes, ScopeName }: SpanRow, told: Dialect): Dialect {
  if (told !== "otel") return told;
  if (textOfName(SpanAttributes, semconv.ATTR_CALL_KIND) !== "") return "runproof";
  if (ScopeName.startsWith("com.anthropic.sdk")) return "anthropic";
  if (ScopeName.startsWith("@traceloop/")) return "traceloop";
  if (ScopeName.startsWith("gcp.vertex.agent")) return "google_adk";
  if (textOfName(SpanAttributes, "mastra.span.type") !== "") return "mastra";
  return textOfName(SpanAttributes, "gen_ai.system") === "" ? "otel" : "otel_old";
}
