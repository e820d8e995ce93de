import type { SpanRow } from "../clickhouse/rows.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import { attribute } from "../evidence/span-attributes.ts";
import { traceRunId } from "../evidence/trace-run-id.ts";
import { spansByProject } from "../evidence/spans-by-project.ts";
import type { RunCensus, RunJudgingStore } from "./run-store.ts";
import type { SpansOfRun } from "./stored-facts.ts";

type SpansStore = Pick<RunJudgingStore, "spansOfRuns">;

/** A run to read, or several that share their ids in different projects. */
export interface RunToRead {
  readonly census: RunCensus;
}

export type LoadedRun<Run extends RunToRead> = Omit<SpansOfRun, "givenUp"> & {
  readonly run: Run;
  readonly project: string;
};

/** Spans of a read: about 20 MB as they come from the store. */
const MAX_SPANS = 20_000;
const MAX_BYTES = 48 * 1024 * 1024;
/** Of one run that is larger than a whole read may be. */
const MAX_SPANS_OF_ONE = 20_000;

/**
 * Reads the spans of a portion of runs, in smaller parts where it is too much for one answer, and hands each part on
 * before it reads the next. A run that is larger than a portion is read in part, and says so: its verdict then rests on
 * what was read.
 */
export async function readPortion<Run extends RunToRead>(
  store: SpansStore,
  runs: readonly Run[],
  take: (part: readonly LoadedRun<Run>[]) => Promise<void>,
): Promise<void> {
  const [only] = runs;
  const tooMany = runs.length === 1 && only !== undefined && only.census.spans > MAX_SPANS_OF_ONE;
  const ids = runs.map(({ census }) => census);
  const spans = tooMany ? "too_large" : await store.spansOfRuns(ids, { maxBytes: MAX_BYTES });
  if (spans !== "too_large") {
    const ofRuns = Map.groupBy(spans, (span) => runOfSpan(span.TraceId, runIdOf(span)));
    return take(runs.flatMap((run) => loadedRuns(run, ofRuns)));
  }
  if (runs.length > 1) {
    const middle = runs.length >> 1;
    await readPortion(store, runs.slice(0, middle), take);
    return readPortion(store, runs.slice(middle), take);
  }
  if (only !== undefined) await take(await readInPart(store, only));
}

async function readInPart<Run extends RunToRead>(store: SpansStore, run: Run): Promise<LoadedRun<Run>[]> {
  const { census } = run;
  for (let maxSpans = MAX_SPANS_OF_ONE; maxSpans >= 1; maxSpans >>= 2) {
    const spans = await store.spansOfRuns([census], { maxBytes: MAX_BYTES, bounded: { maxSpans } });
    if (spans === "too_large") continue;
    const gap = `the run has ${census.spans} spans, which is more than can be judged; ${maxSpans} of them were looked at`;
    const found = loadedRuns(run, new Map([[runOfSpan(census.traceId, census.runId), spans]]));
    return found.map((one) => ({ ...one, gap }));
  }
  throw new Error(`the spans of run ${census.runId} are too large to read`);
}

/** Asked for as a trace, the spans of a trace carry no run. */
const runIdOf = (span: SpanRow): string => attribute(span, semconv.ATTR_RUN_ID) || traceRunId(span.TraceId);

const runOfSpan = (traceId: string, runId: string): string => `${traceId}/${runId}`;

function loadedRuns<Run extends RunToRead>(
  run: Run,
  ofRuns: ReadonlyMap<string, readonly SpanRow[]>,
): LoadedRun<Run>[] {
  const { runId, traceId } = run.census;
  const own = ofRuns.get(runOfSpan(traceId, runId)) ?? [];
  return [...spansByProject(own)].map(([project, spans]) => ({ runId, project, spans, run }));
}

/** Runs in portions of bounded size. */
export function* portionsOf<Run extends RunToRead>(runs: readonly Run[]): Generator<Run[]> {
  let portion: Run[] = [];
  let spans = 0;
  for (const run of runs) {
    if (portion.length > 0 && spans + run.census.spans > MAX_SPANS) {
      yield portion;
      portion = [];
      spans = 0;
    }
    portion.push(run);
    spans += run.census.spans;
  }
  if (portion.length > 0) yield portion;
}
