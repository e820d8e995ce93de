import type { RunContract } from "../../instrumentation/contract/contract.ts";
import { ATTR_PARENT_RUN_ID, ATTR_RUN_ID } from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../../processor/clickhouse/rows.ts";
import type { RunFacts } from "../../processor/evidence/run-facts.ts";
import { runFactsFromSpans } from "../../processor/evidence/run-facts-from-spans.ts";
import { attribute } from "../../processor/evidence/span-attributes.ts";
import type { ChildOutcome } from "../sandbox/run-child.ts";

/**
 * The facts of the run a replay is about: of the fixture's agent, not a sub-run, the earliest. `undefined` when the
 * agent opened no such run. Its process is over, so a run without an end is an abandoned one.
 */
export function replayedRun(
  rows: readonly SpanRow[],
  of: { readonly agentName: string; readonly contract: RunContract; readonly outcome: ChildOutcome },
): RunFacts | undefined {
  const subRuns = new Set(rows.filter((row) => attribute(row, ATTR_PARENT_RUN_ID) !== "").map(runIdOf));
  const runIds = new Set(rows.map(runIdOf).filter((id) => id !== "" && !subRuns.has(id)));
  const died = of.outcome.type === "exited" || of.outcome.type === "timed_out";
  return [...runIds]
    .map((id) => runFactsFromSpans(id, rows, { contract: of.contract, abandoned: { cause: died ? "died" : null } }))
    .filter((facts) => facts.agentName === of.agentName)
    .sort((a, b) => Number(BigInt(a.startUnixNano ?? "0") - BigInt(b.startUnixNano ?? "0")))[0];
}

const runIdOf = (row: SpanRow): string => attribute(row, ATTR_RUN_ID);
