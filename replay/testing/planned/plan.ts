import { createHash } from "node:crypto";
import { createSeededStream, type SeededStream } from "../../sandbox/determinism/seeded-stream.ts";

/** What a generated agent does, one after another. */
export type Op =
  /** A call whose arguments hold clock, ids and random values. */
  | { readonly op: "call"; readonly tool: Tool; readonly key: string }
  /** Equal calls at once; `volatile`: but for clock and ids. */
  | { readonly op: "identical"; readonly tool: Tool; readonly times: number; readonly volatile: boolean }
  /** Different calls at once, started in another order each time. */
  | { readonly op: "shuffled"; readonly tool: Tool; readonly keys: readonly string[] }
  /** A call that fails first, made again by the agent after a random pause. */
  | { readonly op: "retry"; readonly key: string; readonly failures: number }
  /** A call that fails first, made again by its wrapper. */
  | { readonly op: "stubborn"; readonly key: string }
  | { readonly op: "think"; readonly key: string }
  | { readonly op: "wait"; readonly millis: number }
  /** Sub-agents at once, started in another order each time. */
  | { readonly op: "agents"; readonly agents: readonly { readonly name: string; readonly ops: readonly Op[] }[] };

export const TOOLS = ["lookup", "store", "notify"] as const;
export type Tool = (typeof TOOLS)[number];

/** A program from a number: the same one for the same number. */
export function generatedPlan(seed: number): readonly Op[] {
  const random = createSeededStream(createHash, `plan ${seed}`);
  return opsOf(random, 2);
}

function opsOf(random: SeededStream, depth: number): Op[] {
  const count = 2 + below(random, 3);
  const ops = Array.from({ length: count }, (): Op => opOf(random));
  if (depth > 0) ops.splice(below(random, ops.length + 1), 0, agentsOf(random, depth - 1));
  return ops;
}

const agentsOf = (random: SeededStream, depth: number): Op => ({
  op: "agents",
  agents: Array.from({ length: 2 + below(random, 2) }, (_, i) => ({
    name: ["scout", "writer", "critic"][i] ?? "other",
    ops: opsOf(random, below(random, 2) === 0 ? depth : 0),
  })),
});

function opOf(random: SeededStream): Op {
  const tool = TOOLS[below(random, TOOLS.length)] ?? "lookup";
  const key = `k${below(random, 1_000)}`;
  switch (below(random, 7)) {
    case 0:
      return { op: "identical", tool, times: 2 + below(random, 4), volatile: below(random, 2) === 0 };
    case 1:
      return { op: "shuffled", tool, keys: Array.from({ length: 2 + below(random, 4) }, (_, i) => `${key}.${i}`) };
    case 2:
      return { op: "retry", key, failures: 1 + below(random, 2) };
    case 3:
      return { op: "stubborn", key };
    case 4:
      return { op: "think", key };
    case 5:
      return { op: "wait", millis: below(random, 10) };
    default:
      return { op: "call", tool, key };
  }
}

const below = (random: SeededStream, limit: number): number => Math.floor(random.float() * limit);
