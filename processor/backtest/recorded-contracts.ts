import { contractSha256, parseContract, type RunContract } from "../../instrumentation/contract/contract.ts";
import { parseJson } from "../../instrumentation/json/json.ts";
import type { History, HistoryRun } from "./history.ts";

/** What runs promised, by the hash in their records. */
export interface RecordedContracts {
  /** Resolves to a look-up that knows these runs: `null` for one that promised nothing, or whose contract is not stored. */
  of(runs: readonly HistoryRun[]): Promise<(run: HistoryRun) => RunContract | null>;
}

/** Most agents have a few contracts; one that makes one for each run must not fill the memory. */
const MAX_KEPT = 2_000;
const AT_ONCE = 500;

const keyOf = ({ project, contractSha256: sha256 }: HistoryRun): string => `${project}\n${sha256}`;

export function createRecordedContracts(history: Pick<History, "contractsOf">): RecordedContracts {
  let kept = new Map<string, RunContract | null>();

  return {
    async of(runs) {
      const missing = new Map(
        runs.filter((run) => run.contractSha256 !== "" && !kept.has(keyOf(run))).map((run) => [keyOf(run), run]),
      );
      const found = await readContracts(history, [...new Set([...missing.values()].map((run) => run.contractSha256))]);
      const current = kept.size + missing.size > MAX_KEPT ? new Map(knownOf(runs, kept)) : kept;
      for (const [key, run] of missing) {
        // What was stored before there were projects is anybody's.
        current.set(key, found.get(key) ?? found.get(keyOf({ ...run, project: "" })) ?? null);
      }
      kept = current;
      return (run) => current.get(keyOf(run)) ?? null;
    },
  };
}

const knownOf = (runs: readonly HistoryRun[], kept: ReadonlyMap<string, RunContract | null>) =>
  runs.flatMap((run): [string, RunContract | null][] => {
    const known = kept.get(keyOf(run));
    return known === undefined ? [] : [[keyOf(run), known]];
  });

async function readContracts(
  history: Pick<History, "contractsOf">,
  hashes: readonly string[],
): Promise<Map<string, RunContract>> {
  const contracts = new Map<string, RunContract>();
  for (let at = 0; at < hashes.length; at += AT_ONCE) {
    for (const row of await history.contractsOf(hashes.slice(at, at + AT_ONCE))) {
      const contract = contractOf(row.contract, row.contract_sha256);
      if (contract !== null) contracts.set(`${row.project}\n${row.contract_sha256}`, contract);
    }
  }
  return contracts;
}

/** Only the one that its hash names. */
function contractOf(text: string, sha256: string): RunContract | null {
  try {
    const contract = parseContract(parseJson(text));
    return contractSha256(contract) === sha256 ? contract : null;
  } catch {
    return null;
  }
}
