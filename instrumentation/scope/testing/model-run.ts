import type { ScopeDriftEvent } from "../scope-drift.ts";
import { createMemoryJournal, type JournalEntry } from "../scope-journal.ts";
import { createScopeResolver, type ScopeResolver, type ScopeResolverOptions } from "../scope-resolver.ts";
import type { ReconcilePolicy, ScopeStage } from "../scope-stage.ts";
import { MAY_WRITE, isSyncedBySpecification, mayExecute, scopeBySpecification } from "./model-rules.ts";
import { createModelWorld, type ModelWorld, type WorldState, type WorldWrite } from "./model-world.ts";
import { createStepScheduler, settled } from "./step-scheduler.ts";

export type ModelOperation = "work" | "undo" | { readonly reconcile: ReconcilePolicy };

export interface ModelProcess {
  readonly runtime: string | null;
  readonly program: readonly ModelOperation[];
}

/** Two processes, each with its program, and what others change meanwhile, in this order and at any moment. */
export interface ModelScenario {
  readonly name: string;
  readonly stage: ScopeStage;
  readonly initial: WorldState;
  readonly processes: readonly [ModelProcess, ModelProcess];
  readonly changes: readonly Partial<WorldState>[];
  /** Changes what the resolver is given: another option, or a planted fault that the model must find. */
  readonly options?: (options: ScopeResolverOptions) => ScopeResolverOptions;
}

/** Picks one of `count` possible steps; `step` counts the choices of this run. */
export type Choose = (step: number, count: number) => number;

/** How one sequence went. */
export interface ModelRun {
  /** What was broken; empty: nothing. */
  readonly violations: readonly string[];
  readonly steps: readonly string[];
  readonly executed: number;
  readonly refused: number;
  readonly written: number;
}

/**
 * Runs one interleaving of a scenario with the real resolver, then makes it converge. `converged` has the ends from which
 * that was done already: it depends on nothing else.
 */
export async function runModel(
  scenario: ModelScenario,
  choose: Choose,
  converged = new Set<string>(),
): Promise<ModelRun> {
  const model = createModel(scenario);
  const steps: string[] = [];
  for (const actor of model.actors) void actor.run();
  await settled();
  const changes = [...scenario.changes];
  for (let step = 0; ; step++) {
    const waiting = model.scheduler.waiting();
    const count = waiting.length + (changes.length > 0 ? 1 : 0);
    if (count === 0) break;
    const choice = count === 1 ? 0 : choose(step, count);
    if (choice < waiting.length) {
      steps.push(waiting[choice] as string);
      await model.scheduler.release(choice);
    } else {
      const change = changes.shift() as Partial<WorldState>;
      steps.push(`change ${JSON.stringify(change)}`);
      model.world.change(change);
    }
  }
  for (const actor of model.actors) if (!actor.ended()) model.violations.push(`${actor.name} never ended`);
  const end = JSON.stringify(model.world.now());
  if (!converged.has(end)) await model.converge();
  converged.add(end);
  return { violations: model.violations, steps, ...model.counts };
}

function createModel(scenario: ModelScenario) {
  const scheduler = createStepScheduler();
  const violations: string[] = [];
  const counts = { executed: 0, refused: 0, written: 0 };
  const onWrite = (write: WorldWrite): void => {
    counts.written += 1;
    actors.find(({ name }) => name === write.actor)?.checkWrite(write);
  };
  const world = createModelWorld({ initial: scenario.initial, scheduler, onWrite });
  const shared = { scenario, world, violations, counts };
  const actors = scenario.processes.map((process, index) => createActor(shared, process, index === 0 ? "a" : "b"));
  return {
    scheduler,
    world,
    violations,
    counts,
    actors,
    /** Everything answers again and nobody else changes anything: reconciling must come to an end that is in sync. */
    async converge(): Promise<void> {
      scheduler.runFree();
      world.change({ cloudDown: false, authorizerDown: false });
      if (scenario.stage !== "cloud" && scenario.stage !== "enforce") return;
      await converge(shared, actors);
    },
  };
}

interface Shared {
  readonly scenario: ModelScenario;
  readonly world: ModelWorld;
  readonly violations: string[];
  readonly counts: { executed: number; refused: number; written: number };
}

type Actor = ReturnType<typeof createActor>;

function createActor({ scenario, world, violations, counts }: Shared, process: ModelProcess, name: string) {
  const { stage } = scenario;
  const { runtime } = process;
  const events: ScopeDriftEvent[] = [];
  const entries: JournalEntry[] = [];
  const memory = createMemoryJournal();
  const options: ScopeResolverOptions = {
    sources: {
      ...(runtime === null ? {} : { runtime: { read: () => ({ kind: "present", scope: runtime, version: "0" }) } }),
      local: world.source(name, "local"),
      cloud: world.source(name, "cloud"),
    },
    authorize: world.authorize(name),
    policy: { fallback: { kind: "fixed", scope: "safe" } },
    stage,
    journal: {
      entries: memory.entries,
      append: async (entry) => {
        entries.push(entry);
        await memory.append(entry);
      },
    },
    emit: (event) => void events.push(event),
    repeatMillis: 0,
    timeoutMillis: Infinity,
    now: () => world.history.length,
  };
  const resolver = createScopeResolver(scenario.options?.(options) ?? options);
  let ended = false;
  let since = { moment: 0, events: 0 };
  const wasRight = (test: (state: WorldState) => boolean): boolean => world.history.slice(since.moment).some(test);
  const checkWork = (scope: string): void => {
    counts.executed += 1;
    if (!wasRight((state) => mayExecute(scope, runtime, stage, state))) {
      violations.push(`${name} executed in ${scope}, which was never right while it was at it`);
    }
  };
  return {
    name,
    resolver,
    ended: () => ended,
    begin: (): void => void (since = { moment: world.history.length - 1, events: events.length }),
    async run(): Promise<void> {
      for (const operation of process.program) {
        since = { moment: world.history.length - 1, events: events.length };
        const outcome = await perform(resolver, operation, checkWork);
        if (outcome === "refused") counts.refused += 1;
      }
      ended = true;
    },
    checkWrite({ target, from, to, expected }: WorldWrite): void {
      const problem = (what: string): void => void violations.push(`${name} wrote ${target} ${from} -> ${to}: ${what}`);
      const intent = entries.findLast((entry) => entry.kind === "intent");
      if (intent === undefined || intent.target !== target || intent.next !== to || intent.expected !== expected) {
        problem("without a journal entry");
        return;
      }
      if (intent.previous !== from) problem(`the journal says it was ${intent.previous}`);
      if (!MAY_WRITE[stage].includes(target)) problem(`in the stage ${stage}`);
      if (intent.policy === "undo") return;
      if (events.length === since.events) problem("nobody was told of drift");
      if (intent.policy === "reject") problem("under the policy reject");
      const isRight = (state: WorldState): boolean =>
        to !== null &&
        scopeBySpecification(runtime, state) === to &&
        state.allowed.includes(to) &&
        !state.authorizerDown;
      if (!wasRight(isRight)) problem("which was never the authorised scope while it was at it");
    },
  };
}

async function perform(
  resolver: ScopeResolver,
  operation: ModelOperation,
  onWork: (scope: string) => void,
): Promise<string> {
  if (operation === "work") return (await resolver.withScope("work", onWork)).kind;
  if (operation === "undo") return (await resolver.undo()).kind;
  return (await resolver.reconcile(operation.reconcile)).kind;
}

/** The process with an override goes first: its word is the stronger one. */
async function converge({ scenario, world, violations }: Shared, actors: readonly Actor[]): Promise<void> {
  const [a, b] = scenario.processes;
  if (a.runtime !== null && b.runtime !== null && a.runtime !== b.runtime) return;
  const order = a.runtime === null && b.runtime !== null ? actors.toReversed() : actors;
  for (const actor of order) {
    const before = world.writes.length;
    actor.begin();
    const first = await actor.resolver.check();
    for (const policy of ["resolved_to_local", "resolved_to_cloud"] as const) {
      actor.begin();
      await actor.resolver.reconcile(policy);
    }
    const last = await actor.resolver.check();
    const { runtime } = scenario.processes[actors.indexOf(actor)] as ModelProcess;
    const isSynced = isSyncedBySpecification(runtime, world.now());
    if (isSynced !== (last.state === "SYNCED")) violations.push(`${actor.name} says ${last.state} wrongly`);
    if (first.authorized && !isSynced)
      violations.push(`${actor.name} did not converge: ${JSON.stringify(world.now())}`);
    if (!first.authorized && world.writes.length > before) violations.push(`${actor.name} wrote without permission`);
  }
}
