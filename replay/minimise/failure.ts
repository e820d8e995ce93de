import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { judge } from "../../processor/verdict/judge.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import type { ChildOutcome, ChildRun } from "../sandbox/run-child.ts";
import { replayedRun } from "../worker/replayed-run.ts";

/** What makes two failures the same: status, class, every reason with its clause, and how the agent's code ended. */
export const failureText = (verdict: Verdict, outcome: ChildOutcome): string =>
  canonicalJson({
    agent: outcome.type,
    status: verdict.status,
    failure_class: verdict.failureClass,
    reasons: [...new Set(verdict.reasons.map(({ code, clause }) => `${code} ${clause}`))].sort(),
  });

/** The verdict by the fixture's contract; `null` when there is no run to judge. */
export function verdictOf(fixture: Fixture, { rows, outcome }: ChildRun): Verdict | null {
  if (outcome.type === "not_started" || outcome.type === "aborted") return null;
  const { contract } = fixture.expected;
  const facts = replayedRun(rows, { agentName: fixture.input.agent_name, contract, outcome });
  return facts === undefined ? null : judge(facts.evidence, contract);
}
