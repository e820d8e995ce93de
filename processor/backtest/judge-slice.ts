import type { RunContract } from "../../instrumentation/contract/contract.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { attribute } from "../evidence/span-attributes.ts";
import { spansByProject } from "../evidence/spans-by-project.ts";
import { isTraceRun } from "../evidence/trace-run-id.ts";
import { byNewest, type Finding } from "./finding.ts";
import type { History, HistoryRun, HistoryScope } from "./history.ts";
import { type JudgedAgain, judgeAgain } from "./judge-again.ts";
import { judgeByTrace } from "./judge-by-trace.ts";
import type { Slice } from "./plan-slices.ts";
import { pagesOf, type Portion, portionsOf, type SliceLimits } from "./portions.ts";
import type { RecordedContracts } from "./recorded-contracts.ts";
import { isLong, isWithin, windowOf, windowOfAll } from "./run-window.ts";
import { addTallies, EMPTY_TALLY, type Tally } from "./tally.ts";

export interface SliceJudging {
  readonly history: History;
  readonly scope: HistoryScope;
  readonly contract: RunContract;
  readonly recorded: RecordedContracts;
  readonly limits: SliceLimits;
}

/** What a portion of a slice came to. */
export interface SlicePart {
  readonly tally: Tally;
  /** Newest first. */
  readonly findings: readonly Finding[];
}

/** Judges the runs of a slice, portion by portion. However history is cut, the parts add up to the same. */
export async function* judgeSlice(slice: Slice, judging: SliceJudging): AsyncGenerator<SlicePart> {
  for await (const page of pagesOf(slice, judging)) {
    const runs = await judging.history.runs(judging.scope, page);
    for (const portion of portionsOf(runs, page, judging.limits)) yield await judgePortion(portion, judging);
  }
}

async function judgePortion(portion: Portion, judging: SliceJudging): Promise<SlicePart> {
  const { history, scope, limits, contract } = judging;
  const { runs, range } = portion;
  const windows = new Map(runs.map((run) => [run, windowOf(run)]));
  const short = [...windows].filter(([run, one]) => !isLong(one) && !isTraceRun(run));
  const window = short.length === 0 ? undefined : windowOfAll(short.map(([, one]) => one));
  const spans = window === undefined ? [] : await history.spans(scope, range, { window, maxBytes: limits.maxBytes });
  if (spans === "too_large" && runs.length > 1) return judgeHalves(portion, judging);
  const ofRuns = Map.groupBy(spans === "too_large" ? [] : spans, spanRun);
  const recorded = await judging.recorded.of(runs);
  const judged = new Map<HistoryRun, JudgedAgain>();
  for (const [run, own] of short) {
    const near = (ofRuns.get(nameOf(run)) ?? []).filter((span) => isWithin(own, span.Timestamp));
    const again = judgeAgain(contract, { run, spans: ofProject(run, near), recorded: recorded(run) });
    if (!again.isShort) judged.set(run, again);
  }
  const rest = runs.filter((run) => !judged.has(run));
  for (const [run, again] of await judgeByTrace(rest, { history, contract, recorded, maxBytes: limits.maxBytes }))
    judged.set(run, again);
  return partOf(runs, judged, limits);
}

async function judgeHalves({ runs, range }: Portion, judging: SliceJudging): Promise<SlicePart> {
  const middle = runs[runs.length >> 1];
  if (middle === undefined) throw new Error("a portion without runs cannot be halved");
  const at = runs.length >> 1;
  const halves = [
    await judgePortion({ runs: runs.slice(0, at), range: { from: range.from, to: middle } }, judging),
    await judgePortion({ runs: runs.slice(at), range: { from: middle, to: range.to } }, judging),
  ];
  const findings = halves.flatMap((half) => half.findings).sort(byNewest);
  return {
    tally: addTallies(halves.map(({ tally }) => tally)),
    findings: findings.slice(0, judging.limits.maxFindings),
  };
}

const GONE: JudgedAgain = { isShort: true, tally: { ...EMPTY_TALLY, gone: 1 } };

function partOf(
  runs: readonly HistoryRun[],
  judged: ReadonlyMap<HistoryRun, JudgedAgain>,
  { maxFindings }: SliceLimits,
): SlicePart {
  const all = runs.map((run) => judged.get(run) ?? GONE);
  const findings = all.flatMap(({ finding }) => (finding === undefined ? [] : [finding])).sort(byNewest);
  return { tally: addTallies(all.map(({ tally }) => tally)), findings: findings.slice(0, maxFindings) };
}

const nameOf = ({ traceId, runId }: HistoryRun): string => `${traceId}/${runId}`;
const spanRun = (span: SpanRow): string => `${span.TraceId}/${attribute(span, semconv.ATTR_RUN_ID)}`;

const ofProject = ({ project }: HistoryRun, spans: readonly SpanRow[]): readonly SpanRow[] =>
  spansByProject(spans).get(project) ?? [];
