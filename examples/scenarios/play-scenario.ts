import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClosedRun } from "../../instrumentation/index.ts";
import type { ModelPlace } from "../local-model/converse.ts";
import type { Scenario } from "./scenario.ts";

/** How a scenario ended; the member names are those of `--json`. */
export interface Played {
  readonly scenario: string;
  readonly expected_status: "passed" | "failed" | "blocked";
  readonly expected_reasons: readonly string[];
  readonly run_id: string;
  readonly status: string;
  readonly failure_class: string | null;
  readonly reasons: readonly string[];
  readonly failure_reason: string | null;
  /** What the agent told its user; `null` when it threw. */
  readonly answer: string | null;
  readonly ok: boolean;
}

/** Plays one scenario in an empty folder and holds its verdict against what is expected. */
export async function playScenario(scenario: Scenario, model: ModelPlace): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), "runproof-example-"));
  let closed: ClosedRun | undefined;
  try {
    const answer = await scenario
      .play({ folder, model, onClosed: (told) => void (closed = told) })
      .catch((error: unknown) => {
        console.error(`${scenario.name}: the agent threw`, error);
        return null;
      });
    return playedFrom(scenario, answer, closed);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function playedFrom(scenario: Scenario, answer: string | null, closed: ClosedRun | undefined): Played {
  const { name, expected, isBlocked = false } = scenario;
  const verdict = closed?.verdict ?? null;
  const reasons = [...new Set(verdict?.reasons.map((reason) => reason.code))];
  const status = verdict?.status ?? "unknown";
  const wanted = expected.length === 0 ? "passed" : isBlocked ? "blocked" : "failed";
  const isExpected =
    status === wanted &&
    (verdict?.failureClass ?? undefined) === expected[0] &&
    reasons.toSorted().join() === expected.toSorted().join();
  return {
    scenario: name,
    expected_status: wanted,
    expected_reasons: expected,
    run_id: closed?.runId ?? "",
    status,
    failure_class: verdict?.failureClass ?? null,
    reasons,
    failure_reason: verdict?.failureReason ?? null,
    answer,
    ok: isExpected && answer !== null,
  };
}
