import { readFile } from "node:fs/promises";
import { ContractError, parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import { isJsonObject, parseJson } from "../../instrumentation/json/json.ts";
import { ConfigError } from "../config.ts";
import type { AgentContracts } from "./stored-facts.ts";

/**
 * Reads the contracts of agents that other instrumentations watch: a JSON object of contracts by agent name, in which
 * `agent` may be left out. Throws `ConfigError` with every problem; a service that judges by half of a file would call the
 * other half unknown.
 */
export async function readAgentContracts(file: string | undefined): Promise<AgentContracts> {
  if (file === undefined) return {};
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new ConfigError([`contractsFile: ${error instanceof Error ? error.message : String(error)}`], {
      cause: error,
    });
  });
  const byAgent = parseJson(text);
  if (!isJsonObject(byAgent)) throw new ConfigError([`contractsFile: ${file} holds no JSON object of contracts`]);
  const problems: string[] = [];
  const contracts = Object.entries(byAgent).flatMap(([agent, value]): [string, RunContract][] => {
    try {
      const contract = parseContract(isJsonObject(value) ? { agent, ...value } : value);
      if (contract.agent === agent) return [[agent, contract]];
      problems.push(`contractsFile: "${agent}" is the name of another agent than its contract's, "${contract.agent}"`);
    } catch (error) {
      const told = error instanceof ContractError ? error.problems : [String(error)];
      problems.push(...told.map((problem) => `contractsFile: "${agent}": ${problem}`));
    }
    return [];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(contracts);
}
