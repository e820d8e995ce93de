import { once } from "node:events";
import { availableParallelism } from "node:os";
import type { RunContract } from "../../instrumentation/contract/contract.ts";
import { RUN_TYPES } from "../../instrumentation/contract/run-record.ts";
import { type BacktestResult, type Finding, runBacktest } from "../../processor/backtest/index.ts";
import { loadConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { EXIT } from "../worker/exit-codes.ts";
import { styleFor } from "../worker/report.ts";
import { createBacktestProgress } from "./backtest-progress.ts";
import { type BacktestAsked, backtestJson, backtestReport, findingJson } from "./backtest-report.ts";
import type { CommandContext } from "./context.ts";
import { readContractFile } from "./contract-file.ts";
import { clickhouseUrl, storeOptions, storeTrouble } from "./open-store.ts";
import { UsageError } from "./run-command-line.ts";
import { parseSince } from "./since.ts";

export interface BacktestFlags {
  readonly contract: string;
  readonly agent?: string;
  readonly since: string;
  readonly project?: string;
  readonly type: string;
  readonly limit?: string;
  readonly concurrency?: string;
  readonly json?: true;
  readonly stream?: true;
  readonly clickhouseUrl?: string;
}

/** `runproof backtest`: judges stored history with a contract and lists the runs that were silently wrong. */
export async function backtest(flags: BacktestFlags, context: CommandContext): Promise<number> {
  const numbers = numbersFrom(flags);
  const contract = await readContractFile(flags.contract, context.cwd);
  const asked = askedFrom(flags, contract);
  const url = clickhouseUrl(flags.clickhouseUrl, context, await loadConfig(context.cwd));
  const progress = createBacktestProgress(context.stderr);
  const began = performance.now();
  let result: BacktestResult;
  try {
    result = await runBacktest({
      store: storeOptions(url, context),
      scope: asked.scope,
      sinceUnixMillis: asked.sinceUnixMillis,
      contract,
      ...numbers,
      ...(flags.stream ? { onFindings: (findings) => writeFindings(findings, context) } : {}),
      onProgress: progress.show,
      signal: context.signal,
    });
  } catch (error) {
    throw storeTrouble(url, error);
  } finally {
    progress.clear();
  }
  const seconds = (performance.now() - began) / 1_000;
  tell(result, { asked: { ...asked, seconds, threads: numbers.threads }, flags, context });
  return exitCodeFor(result);
}

interface Telling {
  readonly asked: BacktestAsked;
  readonly flags: BacktestFlags;
  readonly context: CommandContext;
}

function tell(result: BacktestResult, { asked, flags, context }: Telling): void {
  const { stdout, stderr } = context;
  if (flags.json) stdout.write(safeJson(backtestJson(result, asked)));
  else if (flags.stream)
    stdout.write(jsonLine({ type: "summary", ...backtestJson({ ...result, findings: [] }, asked) }));
  else stdout.write(backtestReport(result, asked, styleFor(stdout)));
  const { runs, open, gone } = result.tally;
  const found = runs + open + gone;
  if (result.interrupted) {
    stderr.write(`interrupted after ${found} runs, ${(result.share * 100).toFixed(0)} % of what is stored\n`);
  } else if (found === 0) stderr.write(`no runs of the agent ${safeLine(asked.scope.agent)} in that time\n`);
}

/** Nothing wrong is an answer only where something could be judged. */
function exitCodeFor({ interrupted, tally }: BacktestResult): number {
  if (interrupted) return EXIT.interrupted;
  if (tally.silent.runs > 0) return EXIT.finding;
  return tally.runs > (tally.judged.get("inconclusive") ?? 0) ? EXIT.ok : EXIT.inconclusive;
}

/** A reader that is slow holds the work up; one that went away is noticed by the process. */
async function writeFindings(findings: readonly Finding[], { stdout, signal }: CommandContext): Promise<void> {
  const text = findings.map((finding) => jsonLine({ type: "finding", ...findingJson(finding) })).join("");
  if (!stdout.write(text)) await once(stdout, "drain", { signal });
}

/** No text of a JSON document holds a line break. */
const jsonLine = (value: unknown): string => `${safeJson(value).replaceAll(/\n\s*/g, "")}\n`;

function askedFrom({ agent, project, type, since }: BacktestFlags, contract: RunContract) {
  const runType = RUN_TYPES.find((one) => one === type);
  if (runType === undefined) throw new UsageError(`--type must be one of ${RUN_TYPES.join(", ")}`);
  const scope = { agent: agent ?? contract.agent, runType, ...(project === undefined ? {} : { project }) };
  return { scope, contract, sinceUnixMillis: parseSince(since, Date.now()) };
}

const MAX_LIMIT = 10_000;
const MAX_THREADS = 64;

function numbersFrom({ limit = "50", concurrency, json, stream }: BacktestFlags) {
  if (json && stream) throw new UsageError("--json prints one document, --stream a line for each finding: take one");
  return {
    maxFindings: whole("--limit", limit, MAX_LIMIT),
    threads:
      concurrency === undefined
        ? Math.min(availableParallelism(), 4)
        : whole("--concurrency", concurrency, MAX_THREADS),
  };
}

function whole(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max) throw new UsageError(`${flag} must be 1 to ${max}`);
  return value;
}
