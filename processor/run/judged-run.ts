import type { RunContract } from "../../instrumentation/contract/contract.ts";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { awaitsCalls } from "../verdict/awaits-calls.ts";
import { judge } from "../verdict/judge.ts";
import { timelessRow, type TimelessRow } from "./run-row-from-facts.ts";

/** What the facts of a run come to, without the facts: these are most of the bytes, and nobody asks for them again. */
export interface JudgedRun {
  readonly phase: RunEvidence["phase"];
  /** It has spans, and one of them tells when it began. */
  readonly isTold: boolean;
  readonly awaitsCalls: boolean;
  readonly contract: RunContract | null;
  /** `null` while the run is open. */
  readonly verdict: Verdict | null;
  readonly row: TimelessRow;
}

/** Pure. */
export function judgedRun(facts: RunFacts): JudgedRun {
  const { evidence, contract } = facts;
  const verdict = evidence.phase === "open" ? null : judge(evidence, contract);
  return {
    phase: evidence.phase,
    isTold: facts.factCount > 0 && facts.startUnixNano !== null,
    awaitsCalls: evidence.phase === "ended" && (awaitsCalls(evidence) || facts.awaitsContent === true),
    contract,
    verdict,
    row: timelessRow(facts, verdict),
  };
}
