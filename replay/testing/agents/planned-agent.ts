/**
 * Carries out a generated plan. Puts clock, ids and random values into its calls and its artifact, and checks each
 * answer against the place it was recorded at, which it counts by itself. Orders and pauses come from `SHUFFLE`, which
 * is another text in each replay; without it nothing is shuffled.
 */
import crypto, { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { defineContract, type Run, withRun, wrapModel, wrapTool } from "../../../instrumentation/index.ts";
import { currentScope } from "../../../instrumentation/run/run-scope.ts";
import { createSeededStream } from "../../sandbox/determinism/seeded-stream.ts";
import { type Op, type Tool, TOOLS } from "../planned/plan.ts";

export const plannedContract = defineContract({
  agent: "planned-agent",
  // The second one is never written: only failed runs become fixtures.
  artifacts: [
    { name: "log", path: "log.json" },
    { name: "report", path: "report.md" },
  ],
  limits: { timeoutSeconds: 60 },
});

interface Args {
  readonly key: string;
  readonly [name: string]: unknown;
}

interface Answer {
  /** Where the call was made when it was recorded. */
  readonly path: string;
  readonly key: string;
}

/** The world, which exists while recording only: it answers with the place of the call. */
function world({ key }: Args): Answer {
  if (process.env["PLANNED_WORLD"] !== "1") throw new Error("the real tool was called");
  return { path: currentScope()?.path ?? "", key };
}

const failuresOf = new Map<string, number>();

function failingWorld(args: Args & { readonly failures: number }): Answer {
  const answer = world(args);
  const step = `${answer.path.slice(0, answer.path.lastIndexOf("#"))} ${args.key}`;
  const failures = failuresOf.get(step) ?? 0;
  failuresOf.set(step, failures + 1);
  if (failures < args.failures) throw Object.assign(new Error("connect refused"), { code: "ECONNREFUSED" });
  return answer;
}

type Call = (args: Args) => Promise<Answer>;

const tools = Object.fromEntries(
  TOOLS.map((name) => [name, wrapTool({ name, sideEffect: "read" }, world)]),
) as unknown as Record<Tool, Call>;
const flaky = wrapTool({ name: "flaky", sideEffect: "read" }, failingWorld);
const stubborn = wrapTool({ name: "stubborn", sideEffect: "read", retries: 2, retryWaitMillis: 1 }, failingWorld);
const think = wrapModel({ model: "m-1" }, world);

/** Chance that is no part of the replay's world. */
const chance = createSeededStream(crypto.createHash, process.env["SHUFFLE"] ?? "");
const isShuffled = process.env["SHUFFLE"] !== undefined;
const pause = async (): Promise<void> => {
  if (isShuffled && chance.float() < 0.4) await sleep(Math.floor(chance.float() * 12));
};

function inAnyOrder<Item>(items: readonly Item[]): Item[] {
  if (!isShuffled) return [...items];
  return items
    .map((item): [number, Item] => [chance.float(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** Where in the run a step is, told by the agent's own counting. */
class Place {
  readonly #path: string;
  readonly #counts = new Map<string, number>();
  readonly log: unknown[] = [];
  readonly run: Run;
  constructor(path: string, run: Run) {
    this.#path = path;
    this.run = run;
  }
  next(name: string): string {
    const ordinal = this.#counts.get(name) ?? 0;
    this.#counts.set(name, ordinal + 1);
    return `${this.#path === "" ? "" : `${this.#path}/`}${name}#${ordinal}`;
  }
  /** In an order of its own: sub-agents end in any. */
  told(): string[] {
    return this.log.map((entry) => JSON.stringify(entry)).sort();
  }
}

/** What differs from replay to replay unless clock and randomness are the world's. */
const drawn = (run: Run) => ({
  at: new Date().toISOString(),
  since: performance.now(),
  id: randomUUID(),
  nonce: crypto.randomBytes(6).toString("hex"),
  n: Math.random(),
  run: run.runId,
});

function check(answer: Answer, expected: Answer): void {
  if (answer.path === expected.path && answer.key === expected.key) return;
  throw new Error(`wrong answer: ${JSON.stringify({ answer, expected })}`);
}

async function one(place: Place, call: Call, name: string, args: Args): Promise<void> {
  const path = place.next(name);
  check(await call(args), { path, key: args.key });
}

async function all(place: Place, ops: readonly Op[]): Promise<void> {
  for (const op of ops) {
    await pause();
    await carryOut(place, op);
    const { run: _run, ...values } = drawn(place.run);
    place.log.push([op.op, values]);
  }
}

async function carryOut(place: Place, op: Op): Promise<void> {
  const { run } = place;
  switch (op.op) {
    case "call":
      return await one(place, tools[op.tool], op.tool, { key: op.key, ...drawn(run) });
    case "think":
      return await one(place, think, "m-1", { key: op.key, ...drawn(run) });
    case "stubborn":
      return await one(place, stubborn as Call, "stubborn", { key: op.key, failures: 1, ...drawn(run) });
    case "wait":
      return await sleep(op.millis);
    case "identical":
      return void (await Promise.all(
        Array.from({ length: op.times }, async () => {
          await one(place, tools[op.tool], op.tool, { key: "same", ...(op.volatile ? drawn(run) : {}) });
          await pause();
        }),
      ));
    case "shuffled":
      return await shuffled(place, tools[op.tool], op);
    case "retry":
      return await retried(place, op);
    case "agents":
      return void (await Promise.all(
        // Each has its place before the order is shuffled: as its name, it does not depend on it.
        inAnyOrder(op.agents.map((agent) => ({ ...agent, path: place.next(agent.name) }))).map(async (agent) => {
          await pause();
          const inner = await subAgent(agent.name, agent.path, agent.ops);
          place.log.push([agent.path, inner]);
        }),
      ));
  }
}

async function shuffled(place: Place, call: Call, op: Extract<Op, { op: "shuffled" }>): Promise<void> {
  const prepared = op.keys.map((key): Args => ({ key, ...drawn(place.run) }));
  for (const _ of prepared) place.next(op.tool);
  await Promise.all(
    inAnyOrder(prepared).map(async (args) => {
      const { key, path } = await call(args);
      check({ key, path }, { key: args.key, path });
      await pause();
    }),
  );
}

async function retried(place: Place, op: Extract<Op, { op: "retry" }>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await one(place, flaky as Call, "flaky", { key: op.key, failures: op.failures, ...drawn(place.run) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") throw error;
      await sleep(1 + Math.random() * 4);
    }
  }
}

async function subAgent(name: string, path: string, ops: readonly Op[]): Promise<unknown> {
  const contract = defineContract({ agent: name, answer: { required: [{ contains: "done" }] } });
  return await withRun(contract, async (run) => {
    const place = new Place(path, run);
    await all(place, ops);
    run.setAnswer("done");
    return place.told();
  });
}

export default async function plannedAgent(input: { readonly plan: readonly Op[] }): Promise<void> {
  await withRun(
    plannedContract,
    async (run) => {
      const place = new Place("", run);
      await all(place, input.plan);
      const log = place.told();
      await writeFile("log.json", JSON.stringify(log));
      run.setAnswer(`${log.length} steps at ${new Date().toLocaleString()}`);
    },
    { input, taskId: "planned" },
  );
}
