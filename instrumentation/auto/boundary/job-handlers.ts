import { isFunction, membersOf, type AnyFunction } from "./module-members.ts";
import { atBoundary } from "./boundary-run.ts";

/** Marks what is wrapped, so that a second copy of a module or of this package does not wrap it again. */
const WRAPPED = Symbol.for("runproof.job-handler");
const isWrapped = (it: AnyFunction): boolean => (it as { [WRAPPED]?: true })[WRAPPED] === true;
const marked = <It extends AnyFunction>(it: It): It => Object.assign(it, { [WRAPPED]: true as const });

/**
 * pg-boss 10 and later: every call of a handler given to `work()` is a run if `job` is a boundary. `work` is set on each
 * instance by its constructor, so it is wrapped when the instance starts.
 */
export function instrumentPgBoss(exports: unknown): void {
  for (const PgBoss of membersOf(exports, ["default", "PgBoss"])) {
    const prototype = PgBoss.prototype as { start?: unknown; work?: unknown } | undefined;
    const start = prototype?.start;
    if (prototype === undefined || !isFunction(start) || isWrapped(start)) continue;
    prototype.start = marked(function startWatched(this: { work?: unknown }, ...args: unknown[]): unknown {
      const { work } = this;
      if (isFunction(work) && !isWrapped(work)) this.work = marked(workInRuns(work));
      return Reflect.apply(start, this, args);
    });
  }
}

/** `work(name, handler)` or `work(name, options, handler)`. */
const workInRuns =
  (work: AnyFunction): AnyFunction =>
  (...args) => {
    const handler = args.at(-1);
    if (!isFunction(handler)) return work(...args);
    const queue = String(args[0]);
    return work(...args.slice(0, -1), (jobs: unknown, ...rest: unknown[]) =>
      inRun({ queue, jobs: Array.isArray(jobs) ? jobs : [jobs] }, () => handler(jobs, ...rest)),
    );
  };

/** BullMQ 3 and later: every job a `Worker` of this process processes is a run if `job` is a boundary. */
export function instrumentBullMq(exports: unknown): void {
  for (const Worker of membersOf(exports, ["Worker"])) {
    const prototype = Worker.prototype as { callProcessJob?: unknown } | undefined;
    const original = prototype?.callProcessJob;
    if (prototype === undefined || !isFunction(original) || isWrapped(original)) continue;
    prototype.callProcessJob = marked(function callWatched(this: unknown, job: unknown, ...rest: unknown[]): unknown {
      const queue = String((this as { readonly name?: unknown }).name);
      return inRun({ queue, jobs: [job] }, () => Reflect.apply(original, this, [job, ...rest]));
    });
  }
}

interface Batch {
  readonly queue: string;
  readonly jobs: readonly unknown[];
}

interface Job {
  readonly id?: unknown;
  readonly data?: unknown;
  /** pg-boss, with `includeMetadata`. */
  readonly retryCount?: unknown;
  /** BullMQ. */
  readonly attemptsMade?: unknown;
}

/** Jobs that a handler takes together are one run. */
function inRun({ queue, jobs }: Batch, work: () => unknown): Promise<unknown> {
  const [first] = jobs as readonly (Job | null | undefined)[];
  const id: unknown = first?.id;
  const retries = first?.retryCount ?? first?.attemptsMade;
  return atBoundary(
    {
      kind: "job",
      agentName: queue,
      input: jobs.length === 1 ? first?.data : jobs.map((job) => (job as Job | null)?.data),
      taskId: typeof id === "string" || typeof id === "number" ? String(id) : undefined,
      attempt: typeof retries === "number" ? retries + 1 : undefined,
    },
    async () => await work(),
  );
}
