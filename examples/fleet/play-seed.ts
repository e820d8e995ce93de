import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelPlace } from "../local-model/converse.ts";
import type { Seed } from "./seeds.ts";
import { WORLDS } from "./worlds.ts";

type Agent = (task: object) => Promise<string>;

/** The module of each agent, as `runproof.config.ts` names it too. */
const AGENTS: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>> = {
  "research-agent": () => import("./agents/research-agent.ts"),
  "coding-agent": () => import("./agents/coding-agent.ts"),
  "queue-worker": () => import("./agents/queue-worker.ts"),
  "revenue-agent": () => import("./agents/revenue-agent.ts"),
  "ledger-agent": () => import("./agents/ledger-agent.ts"),
  "pricing-agent": () => import("./agents/pricing-agent.ts"),
  "dispatch-agent": () => import("./agents/dispatch-agent.ts"),
  "oncall-agent": () => import("./agents/oncall-agent.ts"),
};

/**
 * Runs one agent once, with the failure that is planted in it, and gives what it told its user. `model` is for those that
 * ask one. Its working folder is an
 * empty one, and so is the process's meanwhile: one seed at a time.
 */
export async function playSeed(seed: Seed, model: ModelPlace): Promise<string> {
  const [load, open] = [AGENTS[seed.agent], WORLDS[seed.agent]];
  if (load === undefined || open === undefined) throw new Error(`the fleet has no agent "${seed.agent}"`);
  const agent = (await load()).default as Agent;
  const home = process.cwd();
  const folder = await mkdtemp(join(tmpdir(), "runproof-fleet-"));
  process.chdir(folder);
  try {
    const world = await open(seed, { folder, model });
    try {
      return await agent({ ...world.task, seed: seed.name });
    } finally {
      await world.close();
    }
  } finally {
    process.chdir(home);
    await rm(folder, { recursive: true, force: true });
  }
}
