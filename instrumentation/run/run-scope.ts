import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import type { ActiveRun } from "./active-run.ts";

/** Where in a run the current code is: the run itself, or inside one of its calls. Call paths are counted here. */
export interface StepScope {
  readonly run: ActiveRun;
  /** Span id of the enclosing call, else of the run's root span: the parent of spans on the flush-now path. */
  readonly spanId: string;
  /** Call path of the enclosing call; directly under a run, the run's own path. */
  readonly path: string;
  readonly ordinals: Map<string, number>;
  /** Somebody looks at the state here: calls are evidence, and not steps of the agent. */
  readonly observing: boolean;
  /** The context in which spans find their parent here, as it was last made; see `contextIn()`. */
  parent: ParentContext | undefined;
}

/** A context, and the active one it was made from. */
export interface ParentContext {
  readonly active: Context;
  readonly context: Context;
}

// Own storage, because OpenTelemetry's context carries nothing without an SDK, and the run must be found even then.
// One slot for the process, for two copies of the package would not find each other's runs.
const SLOT = Symbol.for("runproof.step-scope");
const slots = globalThis as unknown as Record<symbol, AsyncLocalStorage<StepScope> | undefined>;
const storage = (slots[SLOT] ??= new AsyncLocalStorage<StepScope>());

/** A place with ordinals of its own. */
export const newScope = (run: ActiveRun, path = run.path, spanId = run.rootSpanId): StepScope => ({
  run,
  path,
  spanId,
  ordinals: new Map(),
  observing: false,
  parent: undefined,
});

/** The place directly under a run, the same for everybody who enters it: calls made in turns are counted on. */
export const runScope = (run: ActiveRun): StepScope => ({ ...newScope(run), ordinals: run.ordinals });

/** The place of one look at the state, a step of its own. */
export const observingScope = (run: ActiveRun): StepScope => ({
  ...newScope(run, nextCallPath(runScope(run), "state")),
  observing: true,
});

/** Where the current code is; outside of every run, the run of the whole process, if there is one. */
export const currentScope = (): StepScope | undefined => storage.getStore() ?? processScopes[PROCESS_SLOT];

// The agent's main module is not loaded from inside of any work of ours, so that no storage could carry the run to it.
const PROCESS_SLOT = Symbol.for("runproof.process-scope");
const processScopes = globalThis as unknown as Record<symbol, StepScope | undefined>;

/** Makes a run the one of all code that is in no other; `undefined` ends that. */
export function setProcessRun(run: ActiveRun | undefined): void {
  processScopes[PROCESS_SLOT] = run === undefined ? undefined : runScope(run);
}

export const isProcessRun = (run: ActiveRun): boolean => processScopes[PROCESS_SLOT]?.run === run;

export const inScope = <Result>(scope: StepScope, work: () => Result): Result => storage.run(scope, work);

/**
 * Path of the next call of `name` in this scope: name and ordinal within the parent step, in start order. It does not
 * depend on when calls end, so parallel calls keep their places in a replay.
 */
export const nextCallPath = (scope: StepScope, name: string): string => nextStepPath(scope, writtenStep(name));

/** A name as call paths have it. */
export const writtenStep = (name: string): string => name.replaceAll(/[/#]/g, "_");

/** The same for a name that is written already: `a/b` and `a_b` are counted together, and must not share a place. */
export function nextStepPath({ ordinals, path }: StepScope, written: string): string {
  const ordinal = ordinals.get(written) ?? 0;
  ordinals.set(written, ordinal + 1);
  return path === "" ? `${written}#${ordinal}` : `${path}/${written}#${ordinal}`;
}
