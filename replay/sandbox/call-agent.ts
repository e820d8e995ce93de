import { parseContract } from "../../instrumentation/contract/contract.ts";
import { withRun } from "../../instrumentation/run/with-run.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { AgentOutcome, ToChild } from "./messages.ts";

type Start = Extract<ToChild, { type: "start" }>;
export type AgentFunction = (input: JsonValue, state: JsonValue) => unknown;

/** Loads the agent's module. @throws Error that names what it exports instead */
export async function agentFunction(start: Start): Promise<AgentFunction> {
  const module = (await import(start.module)) as Record<string, unknown>;
  const agent = module[start.exportName];
  if (typeof agent === "function") return agent as AgentFunction;
  const functions = Object.keys(module).filter((name) => typeof module[name] === "function");
  throw new Error(
    `the agent's module has no function "${start.exportName}"; it exports ${functions.join(", ") || "no function"}`,
  );
}

/** Never rejects: what the agent throws is its outcome. */
export async function callAgent(agent: AgentFunction, start: Start): Promise<AgentOutcome> {
  try {
    await inRun(start, async () => await agent(start.input, start.state));
    return { type: "returned" };
  } catch (error) {
    const name = error instanceof Error ? error.name : "Error";
    return { type: "threw", error: { name, message: messageOf(error).slice(0, 10_000) } };
  }
}

async function inRun({ contract, input }: Start, work: () => Promise<unknown>): Promise<void> {
  if (contract === undefined) await work();
  else await withRun(parseContract(contract), work, { input });
}

/** What is still on its way out of this process would die with it. */
export const outputWritten = async (): Promise<void> => {
  await Promise.all([written(process.stdout), written(process.stderr)]);
};

const written = (stream: NodeJS.WriteStream): Promise<void> => new Promise((done) => stream.write("", () => done()));

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
