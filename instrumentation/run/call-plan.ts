import type { CallKind } from "../capture/call-interceptor.ts";
import { failOpen } from "../fail-open.ts";
import type { CapturePolicy } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { sharedAttributes, spanName } from "./call-attributes.ts";
import type { CallSpec } from "./call-spec.ts";
import { writtenStep } from "./run-scope.ts";

/** What all calls of one spec have in common. */
export interface CallPlan {
  readonly kind: CallKind;
  readonly runtime: Runtime;
  /** Redacted. */
  readonly name: string;
  /** The name as call paths have it. */
  readonly step: string;
  readonly spanName: string;
  /** What every span of these calls says from its start. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly argumentsPolicy: CapturePolicy;
  readonly resultPolicy: CapturePolicy;
}

/** Where a spec that serves many calls keeps its plan. */
export interface PlanSlot {
  plan?: CallPlan;
}

/** The plan of a spec, made with its first call: names are redacted, and that is most of what a call would cost. */
export function planOf(spec: CallSpec<unknown>, kind: CallKind, runtime: Runtime): CallPlan {
  const known = spec.slot?.plan;
  if (known !== undefined && known.runtime === runtime && known.kind === kind) return known;
  const plan = createPlan(spec, kind, runtime);
  if (spec.slot !== undefined) spec.slot.plan = plan;
  return plan;
}

function createPlan(spec: CallSpec<unknown>, kind: CallKind, runtime: Runtime): CallPlan {
  const { redactor, options } = runtime;
  // Names come from the outside too (MCP servers), and the contract's names went through the same redactor.
  const name = failOpen("naming a call", () => redactor.text(String(spec.name)), "unnamed");
  const told = failOpen("telling of a call", () => redactedTexts(spec.attributes ?? {}, redactor.text), {});
  const { sideEffect, isObserved = false } = spec;
  return {
    kind,
    runtime,
    name,
    step: writtenStep(name),
    spanName: spanName(kind, name),
    attributes: sharedAttributes({ kind, name, sideEffect, isObserved }, told),
    argumentsPolicy: spec.capture?.arguments ?? options.capture,
    resultPolicy: spec.capture?.result ?? options.capture,
  };
}

const redactedTexts = (
  texts: Readonly<Record<string, string>>,
  redact: (text: string) => string,
): Record<string, string> => Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, redact(text)]));
