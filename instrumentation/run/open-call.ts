import { context, trace } from "@opentelemetry/api";
import { callInterceptor, type CallAnswer } from "../capture/call-interceptor.ts";
import { NOT_LOOKED_AT, type CapturedValue } from "../capture/capture-value.ts";
import type { Attempt } from "../contract/evidence.ts";
import { failOpen, reportFailure } from "../fail-open.ts";
import { parseJson } from "../json/json.ts";
import { callStart } from "./call-attributes.ts";
import { capture, returnedEnd, thrownEnd, type EndingCall } from "./call-end.ts";
import { planOf, type CallPlan } from "./call-plan.ts";
import { openCallSpan, type CallEnd, type CallSpan } from "./call-span.ts";
import type { CallSpec } from "./call-spec.ts";
import { currentScope, inScope, newScope, nextStepPath, type StepScope } from "./run-scope.ts";
import { isContextCarried } from "./scope-context.ts";

/**
 * A call on its way. For those who are told of a call's beginning and end and do not make it themselves; `recordCall()`
 * does both. Exactly one of `returned` and `threw` ends it; what comes after that changes nothing. Nothing here throws.
 */
export interface OpenedCall {
  /** Runs `work` as a part of this call: calls made inside are its children. */
  within<Result>(work: () => Result): Result;
  /** What a replay answers in place of the call, or `undefined` when it has to be made. Rejects for a miss. */
  answer(): Promise<CallAnswer | undefined>;
  /** One try, in order. */
  attempted(attempt: Attempt): void;
  returned(result: unknown): void;
  threw(error: unknown): void;
}

/** Opens a call under the current run; `undefined` when there is none, or it is being closed. */
export function openCall(spec: CallSpec<unknown>, args: unknown): OpenedCall | undefined {
  const scope = currentScope();
  if (scope === undefined) return undefined;
  const { run, observing } = scope;
  const kind = observing ? "probe" : spec.kind;
  if (run.closing !== undefined && kind !== "probe") return undefined;
  if (kind === "tool") run.toolCallCount++;
  if (kind !== "probe") run.stepCount++;
  return new Call(scope, { spec, plan: planOf(spec, kind, run.runtime), args });
}

interface CallBegin {
  readonly spec: CallSpec<unknown>;
  readonly plan: CallPlan;
  readonly args: unknown;
}

/** A class, and hardly a closure: one is made for each call of each tool. */
class Call implements OpenedCall, EndingCall {
  readonly spec: CallSpec<unknown>;
  readonly plan: CallPlan;
  readonly given: CapturedValue | undefined;
  readonly gaps: Set<string>;
  attempts: readonly Attempt[] = NONE;
  readonly #path: string;
  readonly #span: CallSpan | undefined;
  readonly #place: StepScope;
  #isOver = false;

  constructor(scope: StepScope, { spec, plan, args }: CallBegin) {
    this.spec = spec;
    this.plan = plan;
    this.gaps = scope.run.gaps;
    this.#path = nextStepPath(scope, plan.step);
    this.given = givenTo(plan, args);
    this.#span = this.#openSpan(scope);
    const place = newScope(scope.run, this.#path, this.#span?.spanId ?? scope.spanId);
    this.#place = scope.observing ? { ...place, observing: true } : place;
  }

  #openSpan(scope: StepScope): CallSpan | undefined {
    const { callId } = this.spec;
    try {
      const toldId = callId === undefined ? undefined : this.plan.runtime.redactor.text(String(callId));
      return openCallSpan(scope, callStart(this.plan, { path: this.#path, callId: toldId, given: this.given }));
    } catch (error) {
      reportFailure("opening a call's span", error);
      return undefined;
    }
  }

  within<Result>(work: () => Result): Result {
    const span = this.#span?.otel;
    if (span === undefined || !isContextCarried()) return inScope(this.#place, work);
    const active = trace.setSpan(context.active(), span);
    return inScope(this.#place, () => context.with(active, work));
  }

  async answer(): Promise<CallAnswer | undefined> {
    const interceptor = callInterceptor();
    if (interceptor === undefined || this.spec.isObserved === true) return undefined;
    const { given, plan } = this;
    const text = given?.form === "hash" ? undefined : given?.text;
    const args = text === undefined ? undefined : parseJson(text);
    return await interceptor({ kind: plan.kind, name: plan.name, path: this.#path, arguments: args });
  }

  attempted(attempt: Attempt): void {
    this.attempts = this.attempts.length === 0 ? [attempt] : [...this.attempts, attempt];
  }

  returned(result: unknown): void {
    this.#finish(returnedEnd, result);
  }

  threw(error: unknown): void {
    this.#finish(thrownEnd, error);
  }

  #finish(endOf: (call: EndingCall, outcome: unknown) => CallEnd, outcome: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#span?.end(endOf(this, outcome));
    } catch (error) {
      // A call whose end cannot be told is missing from the record, and the count of calls says so.
      reportFailure("recording the end of a call", error);
    }
  }
}

const NONE: readonly Attempt[] = [];

const givenTo = (plan: CallPlan, args: unknown): CapturedValue | undefined =>
  plan.argumentsPolicy === "none"
    ? NOT_LOOKED_AT
    : failOpen("capturing arguments", () => capture(plan, "arguments", args), undefined);
