import { ContractError, parseContract, type RunContract } from "../contract/contract.ts";

export interface NamedContracts {
  readonly contracts: Readonly<Record<string, RunContract>>;
  /** Each names its key. */
  readonly problems: readonly string[];
}

/** The contracts of a configuration's `agents`, parsed, by the agents' names. Never throws. */
export function contractsFrom(agents: unknown): NamedContracts {
  const contracts: Record<string, RunContract> = Object.create(null) as Record<string, RunContract>;
  const problems: string[] = [];
  for (const [name, agent] of Object.entries(isObject(agents) ? agents : {})) {
    const contract = isObject(agent) ? agent["contract"] : undefined;
    if (contract === undefined) continue;
    try {
      contracts[name] = contractOf(name, contract);
    } catch (error) {
      const found = error instanceof ContractError ? error.problems : [String(error)];
      problems.push(...found.map((problem) => `agents.${name}.contract.${problem}`));
    }
  }
  return { contracts, problems };
}

function contractOf(name: string, value: unknown): RunContract {
  const contract = parseContract(isObject(value) ? { agent: name, ...value } : value);
  // The run would go by another name than the one its contract is found under.
  if (contract.agent !== name)
    throw new ContractError([`agent: must be ${JSON.stringify(name)}, not ${JSON.stringify(contract.agent)}`]);
  return contract;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
