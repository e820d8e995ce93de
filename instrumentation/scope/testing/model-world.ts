import type { AuthorizeScope } from "../authorize-scope.ts";
import type { ScopeReading, WritableScopeSource } from "../scope-source.ts";
import type { StepScheduler } from "./step-scheduler.ts";

/** Everything outside of the processes, at one moment. */
export interface WorldState {
  readonly local: string | null;
  readonly cloud: string | null;
  readonly cloudDown: boolean;
  readonly authorizerDown: boolean;
  readonly allowed: readonly string[];
}

/** A write that took place. */
export interface WorldWrite {
  readonly actor: string;
  readonly target: "local" | "cloud";
  readonly from: string | null;
  readonly to: string | null;
  readonly expected: string;
}

/** Sources and authoriser of the model: what the resolver talks to, each step by the scheduler's leave. */
export interface ModelWorld {
  /** All states there were, the newest last. */
  readonly history: WorldState[];
  readonly writes: WorldWrite[];
  now(): WorldState;
  /** Somebody who is neither of the processes changes something. */
  change(change: Partial<WorldState>): void;
  source(actor: string, target: "local" | "cloud"): WritableScopeSource;
  authorize(actor: string): AuthorizeScope;
}

export interface WorldOptions {
  readonly initial: WorldState;
  readonly scheduler: StepScheduler;
  /** Before a write takes place. */
  readonly onWrite: (write: WorldWrite) => void;
}

export function createModelWorld({ initial, scheduler, onWrite }: WorldOptions): ModelWorld {
  const history = [initial];
  const writes: WorldWrite[] = [];
  const generation = { local: 0, cloud: 0 };
  const now = (): WorldState => history.at(-1) as WorldState;
  const change = (next: Partial<WorldState>): void => {
    if (next.local !== undefined) generation.local += 1;
    if (next.cloud !== undefined) generation.cloud += 1;
    history.push({ ...now(), ...next });
  };
  const isDown = (target: "local" | "cloud"): boolean => target === "cloud" && now().cloudDown;
  return {
    history,
    writes,
    now,
    change,
    source: (actor, target) => ({
      async read(): Promise<ScopeReading> {
        await scheduler.turn(actor, `read ${target}`);
        if (isDown(target)) throw new Error("the cloud does not answer");
        const version = `${generation[target]}`;
        const scope = now()[target];
        return scope === null ? { kind: "absent", version } : { kind: "present", scope, version };
      },
      async write({ scope, expected }) {
        await scheduler.turn(actor, `write ${target}`);
        if (isDown(target)) throw new Error("the cloud does not answer");
        if (expected !== `${generation[target]}`) return { kind: "conflict", problem: "another generation" };
        const write = { actor, target, from: now()[target], to: scope, expected };
        onWrite(write);
        writes.push(write);
        change({ [target]: scope });
        return { kind: "written", version: `${generation[target]}` };
      },
    }),
    authorize: (actor) => async (request) => {
      await scheduler.turn(actor, "authorize");
      const { allowed, authorizerDown } = now();
      if (authorizerDown) throw new Error("the authoriser does not answer");
      return allowed.includes(request.scope) ? { allowed: true } : { allowed: false, reason: "not yours" };
    },
  };
}
