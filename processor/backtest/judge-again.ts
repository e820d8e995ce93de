import type { RunContract } from "../../instrumentation/contract/contract.ts";
import type { Proof, Reason, Verdict } from "../../instrumentation/contract/verdict.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { runFactsFromSpans } from "../evidence/run-facts-from-spans.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { runFactsFromTrace } from "../evidence/trace-run-facts.ts";
import { isTraceRun } from "../evidence/trace-run-id.ts";
import { judge } from "../verdict/judge.ts";
import { evidenceUnder } from "./evidence-under-contract.ts";
import { type Finding, findingOf } from "./finding.ts";
import type { HistoryRun } from "./history.ts";
import { countsOf, EMPTY_TALLY, type Tally } from "./tally.ts";

export interface RunToJudgeAgain {
  readonly run: HistoryRun;
  /** Of its project and its trace. */
  readonly spans: readonly SpanRow[];
  /** What the run promised; `null` when it promised nothing or that is not stored. */
  readonly recorded: RunContract | null;
  /** Of a trace of another instrumentation: events that tell of its model calls. */
  readonly logs?: readonly LogRow[];
  /** Why the spans are not all there is. */
  readonly gap?: string;
}

export interface JudgedAgain {
  readonly tally: Tally;
  readonly finding?: Finding;
  /** Fewer spans were found than the stored verdict rests on. */
  readonly isShort: boolean;
}

/** Judges a stored run under another contract than its own, with the same fold and the same `judge()`. Pure. */
export function judgeAgain(contract: RunContract, again: RunToJudgeAgain): JudgedAgain {
  const { run, recorded } = again;
  const facts = factsOf(contract, again);
  if (facts.factCount < run.factCount || facts.factCount === 0) {
    return { isShort: true, tally: { ...EMPTY_TALLY, gone: 1 } };
  }
  if (facts.evidence.phase === "open") return { isShort: false, tally: { ...EMPTY_TALLY, open: 1 } };
  const judgeable = evidenceUnder(contract, recorded, facts.evidence);
  const verdict = judge(judgeable.evidence, judgeable.contract);
  const reasons = atTheirPlaces(verdict.reasons, judgeable.requiredRules);
  const isSilent = isSilentlyWrong(run, facts, verdict);
  return {
    isShort: false,
    tally: tallyOf(run, verdict, { unobserved: judgeable.unobserved, isSilent }),
    ...(isSilent ? { finding: findingOf(run, reasons) } : {}),
  };
}

/** What calls may do to the world is a matter of the contract, too; and the watchdog's decision is in the record alone. */
function factsOf(contract: RunContract, { run, spans, logs = [], gap }: RunToJudgeAgain): RunFacts {
  const isGivenUp = run.status !== "started";
  const lacks = gap === undefined ? {} : { gap };
  if (isTraceRun(run)) {
    return runFactsFromTrace(
      { traceId: run.traceId, spans, logs },
      { contractOf: () => contract, isGivenUp, ...lacks },
    );
  }
  const abandoned = isGivenUp ? { abandoned: { cause: null } } : {};
  return runFactsFromSpans(run.runId, spans.map(withoutContract), { contract, ...abandoned, ...lacks });
}

/** The recorded contract neither judges nor spoils the evidence when it cannot be read. */
function withoutContract(span: SpanRow): SpanRow {
  const { SpanAttributes } = span;
  if (
    !Object.hasOwn(SpanAttributes, semconv.ATTR_CONTRACT) &&
    !Object.hasOwn(SpanAttributes, semconv.ATTR_CONTRACT_SHA256)
  )
    return span;
  const { [semconv.ATTR_CONTRACT]: _contract, [semconv.ATTR_CONTRACT_SHA256]: _sha256, ...rest } = SpanAttributes;
  return { ...span, SpanAttributes: rest };
}

/** It failed and nobody was told: it ended in an orderly way, and its record says neither failed nor blocked. */
const isSilentlyWrong = (run: HistoryRun, { evidence }: RunFacts, verdict: Verdict): boolean =>
  verdict.status === "failed" &&
  evidence.phase === "ended" &&
  (evidence.closing?.error ?? null) === null &&
  run.status !== "failed" &&
  run.status !== "blocked";

const REQUIRED_RULE = /^\/answer\/required\/(\d+)$/;

/** Clauses by their place in the whole contract. */
function atTheirPlaces<Item extends Reason | Proof>(
  items: readonly Item[],
  rules: readonly number[] | undefined,
): readonly Item[] {
  if (rules === undefined) return items;
  return items.map((item) => {
    const index = REQUIRED_RULE.exec(item.clause)?.[1];
    return index === undefined ? item : { ...item, clause: `/answer/required/${rules[Number(index)] ?? index}` };
  });
}

interface Found {
  readonly unobserved: readonly string[];
  readonly isSilent: boolean;
}

function tallyOf(run: HistoryRun, verdict: Verdict, { unobserved, isSilent }: Found): Tally {
  const failureClasses = countsOf(verdict.failureClass === null ? [] : [verdict.failureClass]);
  const reasons = countsOf(verdict.reasons.map(({ code }) => code));
  return {
    runs: 1,
    open: 0,
    gone: 0,
    judged: countsOf([verdict.status]),
    stored: countsOf([run.status]),
    changes: countsOf([`${run.status}>${verdict.status}`]),
    failureClasses,
    reasons,
    unobserved: countsOf(unobserved),
    silent: isSilent ? { runs: 1, failureClasses, reasons } : EMPTY_TALLY.silent,
  };
}
