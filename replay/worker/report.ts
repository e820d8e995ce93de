import { styleText } from "node:util";
import { describeMiss } from "../cassette/describe-miss.ts";
import { describeAttempt } from "../sandbox/strict/attempt.ts";
import { safeLine, safeText } from "../safe-text.ts";
import type { ReplayOutcome, ReplayResult } from "./replay-result.ts";

type Format = Parameters<typeof styleText>[0];
/** Colours text, or leaves it. */
export type Style = (format: Format, text: string) => string;

/** `styleText` where the stream is a terminal that wants colour (`NO_COLOR`, `FORCE_COLOR` honoured), else plain text. */
export const styleFor =
  (stream: NodeJS.WritableStream): Style =>
  (format, text) =>
    styleText(format, text, { stream, validateStream: true });

const COLOURS: Record<ReplayOutcome, Format> = {
  fixed: ["bold", "green"],
  reproduced: ["bold", "red"],
  diverged: ["bold", "red"],
  inconclusive: ["bold", "yellow"],
  errored: ["bold", "red"],
  refused: ["bold", "red"],
};

const OUTPUT_LINES = 20;

/** A replay for people: the outcome first, then why, then what the cassette has to say. */
export function replayReport(result: ReplayResult, style: Style): string {
  const { verdict, cassette } = result;
  const lines = [
    `${style(COLOURS[result.outcome], result.outcome.toUpperCase())}  ${result.fixtureId}`,
    `  ${safeLine(result.explanation, 2_000)}`,
    ...(result.run === null ? [] : [`  run      ${safeLine(result.run.runId)}  trace ${safeLine(result.run.traceId)}`]),
    ...(verdict === null ? [] : verdictLines(verdict)),
    ...(result.strict === undefined ? [] : strictLines(result.strict)),
    ...(result.liveCalls ?? []).map(
      (it) => `  live     ${safeLine(it.name)} at ${safeLine(it.path)} was really called`,
    ),
    `  cassette ${cassette.hits} answered, ${cassette.misses.length} missed, ${cassette.unused.length} unused`,
    ...cassette.moved.map((it) => `    moved  ${safeLine(it.from)} -> ${safeLine(it.to)}`),
    ...cassette.misses.map((miss) => `    miss   ${safeLine(describeMiss(miss), 2_000)}`),
    ...cassette.unused
      .slice(0, OUTPUT_LINES)
      .map((it) => `    unused #${it.index} ${safeLine(it.name)} at ${safeLine(it.path)}`),
    ...(result.outcome === "errored" ? outputLines(result) : []),
  ];
  return `${lines.join("\n")}\n`;
}

function strictLines({ wall, attempts }: NonNullable<ReplayResult["strict"]>): string[] {
  const more = attempts.length > OUTPUT_LINES ? [`    and ${attempts.length - OUTPUT_LINES} more`] : [];
  return [
    `  strict   behind ${wall}: ${attempts.length} refused`,
    ...attempts.slice(0, OUTPUT_LINES).map((it) => `    refused ${safeLine(describeAttempt(it))}`),
    ...more,
  ];
}

function verdictLines(verdict: NonNullable<ReplayResult["verdict"]>): string[] {
  return [
    `  verdict  ${verdict.status}`,
    ...verdict.reasons.map(({ code, clause, message }) => `    ${code} ${safeLine(clause)}: ${safeLine(message)}`),
    ...verdict.proofs.map(({ clause, observed }) => `    proof ${safeLine(clause)}: ${safeLine(observed)}`),
  ];
}

function outputLines({ output }: ReplayResult): string[] {
  const lines = safeText(`${output.stdout}${output.stderr}`).split("\n").filter(Boolean).slice(-OUTPUT_LINES);
  return lines.length === 0 ? [] : ["  the agent printed:", ...lines.map((line) => `    ${line}`)];
}
