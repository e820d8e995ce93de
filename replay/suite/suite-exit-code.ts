import { EXIT } from "../worker/exit-codes.ts";
import type { SuiteEntry, SuiteStatus } from "./suite-entry.ts";

const CODES: Record<SuiteStatus, number> = {
  refused: EXIT.usage,
  no_wall: EXIT.noWall,
  errored: EXIT.environment,
  failed: EXIT.finding,
  inconclusive: EXIT.inconclusive,
  passed: EXIT.ok,
  skipped: EXIT.ok,
};

/** Worst first: that the tool could not do its work outranks what it found, and a finding outranks not knowing. */
const RANKING = [EXIT.usage, EXIT.noWall, EXIT.environment, EXIT.finding, EXIT.inconclusive, EXIT.ok];

/** The exit code of the worst entry; 0 for none. */
export function suiteExitCode(entries: readonly Pick<SuiteEntry, "status">[]): number {
  const codes = new Set(entries.map((entry) => CODES[entry.status]));
  return RANKING.find((code) => codes.has(code)) ?? EXIT.ok;
}
