import { contractSha256, type RunContract } from "../../instrumentation/contract/contract.ts";
import { VERDICT_STATUSES } from "../../instrumentation/contract/verdict.ts";
import type { BacktestResult, Counts, Finding } from "../../processor/backtest/index.ts";
import { safeLine } from "../safe-text.ts";
import type { Style } from "../worker/report.ts";
import { isoFromNanos } from "./run-record-json.ts";

/** What was asked, and what it took. */
export interface BacktestAsked {
  readonly scope: { readonly agent: string; readonly runType: string; readonly project?: string };
  readonly contract: RunContract;
  readonly sinceUnixMillis: number;
  readonly seconds: number;
  readonly threads: number;
}

/** The one document of `--json`. */
export function backtestJson(result: BacktestResult, asked: BacktestAsked) {
  const { tally, findings, interrupted } = result;
  const { scope, contract, seconds, threads } = asked;
  return {
    agent: scope.agent,
    run_type: scope.runType,
    project: scope.project ?? null,
    contract_sha256: contractSha256(contract),
    since: new Date(asked.sinceUnixMillis).toISOString(),
    interrupted,
    runs: tally.runs,
    open: tally.open,
    spans_gone: tally.gone,
    status: json(tally.judged),
    stored_status: json(tally.stored),
    changes: Array.from(tally.changes, ([change, runs]) => {
      const [stored = "", now = ""] = change.split(">");
      return { stored, now, runs };
    }),
    failure_classes: json(tally.failureClasses),
    reasons: json(tally.reasons),
    not_observed: json(tally.unobserved),
    silently_wrong: {
      runs: tally.silent.runs,
      failure_classes: json(tally.silent.failureClasses),
      reasons: json(tally.silent.reasons),
      listed: findings.map(findingJson),
    },
    seconds: Math.round(seconds * 1_000) / 1_000,
    runs_per_second: rate(result, asked),
    threads,
    peak_rss_mib: peakResidentMib(),
  };
}

export const findingJson = ({ startedAt, project, runId, traceId, storedStatus, failureClass, reasons }: Finding) => ({
  run_id: runId,
  project,
  trace_id: traceId,
  started_at: isoFromNanos(startedAt),
  stored_status: storedStatus,
  failure_class: failureClass,
  reasons,
});

/** For people. Run ids, messages and evidence came from spans. */
export function backtestReport(result: BacktestResult, asked: BacktestAsked, style: Style): string {
  const { tally, findings } = result;
  const { scope, contract, seconds } = asked;
  const since = new Date(asked.sinceUnixMillis).toISOString().slice(0, 19);
  const lines = [
    `${count(tally.runs)} runs of ${safeLine(scope.agent)} since ${since} under the contract ${contractSha256(contract).slice(0, 12)}`,
    "",
    ...statusLines(tally.stored, tally.judged),
    ...notJudged(result),
    "",
    silentLine(result, style),
    ...countLines(tally.silent.reasons),
    ...findings.flatMap((finding) => ["", ...findingLines(finding, style)]),
    ...more(tally.silent.runs - findings.length),
    "",
    `judged in ${seconds.toFixed(1)} s, ${count(rate(result, asked))} runs a second; at most ${count(peakResidentMib())} MiB resident`,
  ];
  return `${lines.join("\n")}\n`;
}

function statusLines(stored: Counts, judged: Counts): string[] {
  const shown = ["started", ...VERDICT_STATUSES].filter((status) => stored.has(status) || judged.has(status));
  const row = (name: string, a: string, b: string): string => `  ${name.padEnd(14)}${a.padStart(12)}${b.padStart(12)}`;
  if (shown.length === 0) return ["  nothing was judged"];
  const cells = (counts: Counts, status: string): string => count(counts.get(status) ?? 0);
  return [row("", "stored", "now"), ...shown.map((one) => row(one, cells(stored, one), cells(judged, one)))];
}

/** Unknown is said, never counted as good. */
function notJudged({ tally }: BacktestResult): string[] {
  return [
    ...(tally.open > 0 ? [`  not judged: ${count(tally.open)} runs have not ended`] : []),
    ...(tally.gone > 0 ? [`  not judged: spans of ${count(tally.gone)} runs are not stored any more`] : []),
    ...Array.from(
      tally.unobserved,
      ([clause, runs]) =>
        `  nobody looked at ${safeLine(clause)} when ${count(runs)} runs closed: their contract did not ask for it`,
    ),
  ];
}

function silentLine({ tally }: BacktestResult, style: Style): string {
  const { runs } = tally.silent;
  if (runs === 0) return "silently wrong: none";
  const share = ((runs / tally.runs) * 100).toFixed(1);
  return style(["bold", "red"], `silently wrong: ${count(runs)} runs, ${share} %`);
}

const countLines = (counts: Counts): string[] =>
  [...counts].sort(([, a], [, b]) => b - a).map(([name, runs]) => `  ${name.padEnd(28)}${count(runs).padStart(10)}`);

const MAX_REASONS = 3;

const findingLines = (finding: Finding, style: Style): string[] => [
  `${isoFromNanos(finding.startedAt).slice(0, 19)}  ${style("bold", safeLine(finding.runId))}  was ${safeLine(finding.storedStatus)}, trace ${safeLine(finding.traceId)}`,
  ...finding.reasons.slice(0, MAX_REASONS).map(({ code, clause, evidence, message }) => {
    const seen = evidence.map(({ kind, id }) => `${kind} ${id}`).join(", ");
    return safeLine(`  ${code}${clause === "" ? "" : ` by ${clause}`}${seen === "" ? "" : ` (${seen})`}: ${message}`);
  }),
];

const more = (left: number): string[] =>
  left > 0 ? ["", `… and ${count(left)} more: --limit lists more of them, --stream all`] : [];

const json = (counts: Counts): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));

const rate = ({ tally }: BacktestResult, { seconds }: BacktestAsked): number =>
  seconds > 0 ? Math.round(tally.runs / seconds) : 0;

/** Of this process, its threads included. */
const peakResidentMib = (): number => Math.round(process.resourceUsage().maxRSS / 1_024);

const count = (value: number): string => value.toLocaleString("en");
