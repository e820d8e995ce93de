import { safeLine } from "../safe-text.ts";
import { replayReport, type Style } from "../worker/report.ts";
import { replayResultJson } from "../worker/report-json.ts";
import { SUITE_STATUSES, type SuiteEntry, type SuiteStatus } from "./suite-entry.ts";

const WORDS: Record<SuiteStatus, string> = {
  passed: "ok",
  failed: "FAILED",
  inconclusive: "inconclusive",
  errored: "ERROR",
  no_wall: "NO WALL",
  refused: "REFUSED",
  skipped: "skipped",
};

const FORMATS: Record<SuiteStatus, Parameters<Style>[0]> = {
  passed: "green",
  failed: ["bold", "red"],
  inconclusive: "yellow",
  errored: ["bold", "red"],
  no_wall: ["bold", "red"],
  refused: ["bold", "red"],
  skipped: "dim",
};

/** One line of progress. */
export function progressLine(entry: SuiteEntry, place: { done: number; total: number }, style: Style): string {
  const count = `${String(place.done).padStart(String(place.total).length)}/${place.total}`;
  const seconds = entry.result === null ? "" : `  ${(entry.durationMillis / 1_000).toFixed(1)} s`;
  return `${count}  ${style(FORMATS[entry.status], WORDS[entry.status])}  ${safeLine(entry.fixtureId)} (${entry.state})${seconds}\n`;
}

/** What did not pass, each with its report, and the counts. */
export function suiteReport(entries: readonly SuiteEntry[], style: Style): string {
  const told = entries
    .filter((entry) => entry.status !== "passed")
    .map((entry) => {
      const head = `${style(FORMATS[entry.status], WORDS[entry.status])}  ${safeLine(entry.fixtureId)}: ${safeLine(entry.explanation, 2_000)}\n`;
      return entry.result === null
        ? head
        : `${head}${replayReport(entry.result, style).replace(/^/gm, "  ").trimEnd()}\n`;
    });
  return `${told.join("\n")}${told.length > 0 ? "\n" : ""}${countsLine(entries)}\n`;
}

const countsLine = (entries: readonly SuiteEntry[]): string =>
  [
    ...Object.entries(suiteCounts(entries)).flatMap(([status, count]) => (count > 0 ? [`${count} ${status}`] : [])),
  ].join(", ") || "no fixtures";

const suiteCounts = (entries: readonly SuiteEntry[]): Record<SuiteStatus, number> =>
  Object.fromEntries(
    SUITE_STATUSES.map((status) => [status, entries.filter((entry) => entry.status === status).length]),
  ) as Record<SuiteStatus, number>;

/** The one document of `--json`. */
export const suiteJson = (entries: readonly SuiteEntry[], exitCode: number) => ({
  exit_code: exitCode,
  counts: suiteCounts(entries),
  fixtures: entries.map((entry) => ({
    fixture_id: entry.fixtureId,
    path: entry.path,
    agent_name: entry.agentName,
    state: entry.state,
    status: entry.status,
    explanation: entry.explanation,
    duration_ms: Math.round(entry.durationMillis),
    replay: entry.result && replayResultJson(entry.result),
  })),
});
