import { EXIT } from "../worker/exit-codes.ts";
import type { RoundReport } from "./round.ts";

/**
 * 0 when everything passes and the service knows it; 3 when the service did not take it all, for then nobody watches;
 * 1 for a failing fixture; 4 when something is stale or unknown, or a tier without fixtures proves nothing.
 */
export function canaryExitCode(report: Pick<RoundReport, "counts" | "fixtureIds" | "unstored" | "problem">): number {
  const { counts, fixtureIds, unstored, problem } = report;
  if (problem !== null || unstored > 0) return EXIT.environment;
  if (counts.failing > 0) return EXIT.finding;
  return counts.stale + counts.unknown > 0 || fixtureIds.length === 0 ? EXIT.inconclusive : EXIT.ok;
}
