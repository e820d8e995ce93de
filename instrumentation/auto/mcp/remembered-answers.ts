import { recordCall } from "../../run/record-call.ts";
import { currentScope } from "../../run/run-scope.ts";
import type { ActiveRun } from "../../run/active-run.ts";
import type { McpClient } from "./mcp-client.ts";
import type { ToldRequest } from "./told-request.ts";

interface Remembered {
  readonly told: ToldRequest;
  readonly result: unknown;
}

interface Memory {
  readonly answers: Remembered[];
  readonly runs: WeakSet<ActiveRun>;
}

const memories = new WeakMap<McpClient, Memory>();

/** A server's list of tools may be asked for again and again. */
const MAX_ANSWERS = 20;

/** Keeps what a server answered outside of every run, for the runs to come; gives it back. Calls of tools are not kept. */
export function remember(client: McpClient, told: ToldRequest, result: unknown): unknown {
  if (told.spec.kind !== "probe") return result;
  const memory = memories.get(client) ?? { answers: [], runs: new WeakSet() };
  memories.set(client, memory);
  memory.answers.push({ told, result });
  if (memory.answers.length > MAX_ANSWERS) memory.answers.shift();
  return result;
}

/** Records it under the current run, once a run: without it, a replay could not connect. */
export async function recordRemembered(client: McpClient): Promise<void> {
  const memory = memories.get(client);
  const run = currentScope()?.run;
  if (memory === undefined || run === undefined || memory.runs.has(run)) return;
  memory.runs.add(run);
  for (const { told, result } of memory.answers) await recordCall(told.spec, told.args, async () => result);
}
