import { closedAnswerHolds } from "../../instrumentation/contract/answer-match.ts";
import type { ContentRule, ExpectedSideEffect, RunContract } from "../../instrumentation/contract/contract.ts";
import type { ClosingEvidence, RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { splitAtPseudonyms } from "../../instrumentation/capture/redaction-pseudonym.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { artifactsUnder } from "./artifacts-under-contract.ts";

/** What can be judged of a run that closed under another contract, and what cannot. */
export interface JudgeableRun {
  readonly evidence: RunEvidence;
  readonly contract: RunContract;
  /** Clauses of the contract that nobody looked at when the run closed, as JSON pointers. */
  readonly unobserved: readonly string[];
  /** Places in the whole contract of the required rules on the answer that are left. Default: all, where they are. */
  readonly requiredRules?: readonly number[];
}

/** One step towards it. */
export interface Reading extends JudgeableRun {
  readonly closing: ClosingEvidence;
  /** What the run promised; `null` when that is not known, and then nothing counts as asked for. */
  readonly recorded: RunContract | null;
}

/**
 * Makes evidence that was gathered under one contract ready to be judged under another. Probes looked only where the
 * recorded contract sent them: what the other one asks for beyond that is neither there nor missing but unknown, and must
 * make a run inconclusive, not failed. What calls, limits and answers say needs no probe. Pure.
 */
export function evidenceUnder(
  contract: RunContract,
  recorded: RunContract | null,
  evidence: RunEvidence,
): JudgeableRun {
  const { closing } = evidence;
  if (closing === null) return { evidence, contract, unobserved: [] };
  const start: Reading = { evidence, contract, unobserved: [], closing, recorded };
  const steps = [artifactsUnder, evidencePathsUnder, changesUnder, verificationUnder, confirmationsUnder, answerUnder];
  const { closing: read, recorded: _recorded, ...rest } = steps.reduce((reading, step) => step(reading), start);
  return { ...rest, evidence: { ...rest.evidence, closing: read } };
}

const same = (a: unknown, b: unknown): boolean => canonicalJson(a as JsonValue) === canonicalJson(b as JsonValue);

/** Adds what nobody looked at; a clause that has no other way to say so becomes a gap. */
const unknown = (reading: Reading, clause: string, gap?: string): Reading => ({
  ...reading,
  unobserved: [...reading.unobserved, clause],
  ...(gap === undefined
    ? {}
    : { evidence: { ...reading.evidence, gaps: [...reading.evidence.gaps, `${gap}: ${NOT_ASKED}`] } }),
});

const NOT_ASKED = "the contract the run had did not ask for it";

/** Paths that were looked at decide, if they can; the others could tip the scales either way. */
function evidencePathsUnder(reading: Reading): Reading {
  const clause = reading.contract.evidencePaths;
  const looked = new Map(reading.closing.paths.map((seen) => [seen.path, seen]));
  const observed = clause?.paths.filter((path) => looked.has(path)) ?? [];
  if (clause === undefined || observed.length === clause.paths.length) return reading;
  const needed = Math.min(clause.atLeast ?? clause.paths.length, clause.paths.length);
  const unseen = clause.paths.length - observed.length;
  const good = observed.filter((path) => looked.get(path)?.exists === true && looked.get(path)?.bytes !== 0).length;
  const atLeast = good >= needed ? needed : Math.max(0, needed - unseen);
  const evidencePaths = { paths: observed, atLeast };
  const reduced = { ...reading, contract: { ...reading.contract, evidencePaths } };
  const canTip = good < needed && good + unseen >= needed;
  return canTip
    ? unknown(reduced, "/evidencePaths", `${unseen} of ${clause.paths.length} evidence paths were not looked at`)
    : reduced;
}

function changesUnder(reading: Reading): Reading {
  const { contract, recorded, closing } = reading;
  if (contract.changes === undefined || contract.changes.workspace === recorded?.changes?.workspace) return reading;
  return unknown({ ...reading, closing: { ...closing, changedPaths: null } }, "/changes");
}

/** Another command, or the same one elsewhere, was not run; one that was cut short may need the longer time it now has. */
function verificationUnder(reading: Reading): Reading {
  const { contract, recorded, closing } = reading;
  const clause = contract.verification;
  if (clause === undefined) return reading;
  const asked = recorded?.verification;
  const isAsked = asked !== undefined && asked.cwd === clause.cwd && same(asked.command, clause.command);
  const cutShort = closing.verification?.timedOut === true && (asked?.timeoutSeconds ?? 0) < clause.timeoutSeconds;
  if (isAsked && !cutShort) return reading;
  return unknown({ ...reading, closing: { ...closing, verification: null } }, "/verification");
}

/** A reference that no artifact names was not confirmed by a probe because none was asked for. */
function confirmationsUnder(reading: Reading): Reading {
  const clause = reading.contract.sideEffects;
  if (clause === undefined) return reading;
  let read = reading;
  const expected = clause.expected.map((one, index): ExpectedSideEffect => {
    if (one.confirmedBy !== "probe" || isProbed(one, reading)) return one;
    read = unknown(read, `/sideEffects/expected/${index}`, `no probe confirmed the side effect of "${one.tool}"`);
    return { ...one, confirmedBy: "reference" };
  });
  return { ...read, contract: { ...read.contract, sideEffects: { ...clause, expected } } };
}

function isProbed({ tool }: ExpectedSideEffect, { evidence, closing, recorded }: Reading): boolean {
  const asked = recorded?.sideEffects?.expected.some((one) => one.tool === tool && one.confirmedBy === "probe");
  const refs = new Set(closing.artifacts.map(({ ref }) => ref));
  const calls = evidence.toolCalls.filter((call) => call.name === tool && call.errorClass === null);
  return asked === true || calls.every(({ reference }) => !reference || refs.has(reference));
}

/** In a redacted answer a rule that the run did not have may hold in what was taken out. */
function answerUnder(reading: Reading): Reading {
  const { contract, recorded, closing } = reading;
  const clause = contract.answer;
  if (clause === undefined || splitAtPseudonyms(closing.answer ?? "").length === 1) return reading;
  const known = [...(recorded?.answer?.required ?? []), ...(recorded?.answer?.forbidden ?? [])];
  const isOpen = (rule: ContentRule): boolean =>
    !known.some((one) => same(one, rule)) && !closedAnswerHolds(closing, rule);
  const open = (list: "required" | "forbidden"): string[] =>
    clause[list].flatMap((rule, index) => (isOpen(rule) ? [`/answer/${list}/${index}`] : []));
  const clauses = [...open("required"), ...open("forbidden")];
  if (clauses.length === 0) return reading;
  // A required one is taken as an observation that is missing, not as content that is.
  const requiredRules = [...clause.required.keys()].filter((index) => !clauses.includes(`/answer/required/${index}`));
  const decided = { ...clause, required: clause.required.filter((_rule, index) => requiredRules.includes(index)) };
  const gap = `the answer was redacted, and what was taken out may hold what ${clauses.length} rules look for`;
  const told = clauses
    .slice(1)
    .reduce((one, pointer) => unknown(one, pointer), unknown(reading, clauses[0] ?? "", gap));
  return { ...told, contract: { ...told.contract, answer: decided }, requiredRules };
}
