import { REPAIRED } from "./answers-of-requests.ts";
import type { NormalisedRun } from "./normalise-run.ts";
import type { Message, NormalisedStep } from "./normalised-step.ts";

/**
 * How far the trace of a run goes.
 * - `replayable`: every answer a replay would have to give is there;
 * - `judgeable`: every tool call has its name and arguments, so clauses about tools can decide;
 * - `incomplete`: not even that.
 */
export type CompletenessGrade = "replayable" | "judgeable" | "incomplete";

export interface MissingField {
  /** `run`, or kind, name and number of the step: `model m-1 (2 of 3)`. */
  readonly step: string;
  readonly spanId: string;
  readonly field: string;
  /** What cannot be done without it. `nothing`: it only makes the picture poorer. */
  readonly needed: "verdict" | "replay" | "nothing";
}

export interface Completeness {
  readonly grade: CompletenessGrade;
  /** In the order of the steps. */
  readonly missing: readonly MissingField[];
}

/** Says of a run whether it can be judged and replayed from its trace, and which step lacks what. Pure. */
export function completenessOf(run: NormalisedRun): Completeness {
  const calls = run.steps.filter(({ kind }) => kind === "model" || kind === "tool");
  const usesTools = calls.some(({ kind }) => kind === "tool");
  const tellsTools = calls.some(({ kind, source }) => kind === "tool" && source === "span");
  const names = stepNames(calls);
  const ofRun = runFields(run, calls).map((field) => ({ step: "run", spanId: run.root?.spanId ?? "", ...field }));
  const ofSteps = calls.flatMap((step, index) =>
    (step.kind === "tool" ? toolFields(step) : modelFields(step, { usesTools, tellsTools })).map((field) => ({
      step: names[index] ?? "",
      spanId: step.spanId,
      ...field,
    })),
  );
  const missing = [...ofRun, ...ofSteps];
  return { grade: gradeOf(missing), missing };
}

type Field = Pick<MissingField, "field" | "needed">;

const gradeOf = (missing: readonly MissingField[]): CompletenessGrade => {
  if (missing.some(({ needed }) => needed === "verdict")) return "incomplete";
  return missing.some(({ needed }) => needed === "replay") ? "judgeable" : "replayable";
};

const when = (isMissing: boolean, field: string, needed: Field["needed"]): Field[] =>
  isMissing ? [{ field, needed }] : [];

const runFields = (run: NormalisedRun, calls: readonly NormalisedStep[]): Field[] => [
  ...when(calls.length === 0, "model and tool calls", "verdict"),
  ...when(run.input === undefined, "input", "replay"),
  ...when(run.answer === null, "answer", "nothing"),
];

const toolFields = (step: NormalisedStep): Field[] => [
  ...when(step.name === "", "tool name", "verdict"),
  ...when(step.arguments === undefined, "tool arguments", "verdict"),
  ...when(step.result === undefined && step.errorClass === null, "tool result", "replay"),
  ...when(step.result === undefined && step.errorClass !== null, "error of the tool", "replay"),
  ...when(isCut(step), "content that was cut", "verdict"),
  ...when(step.isCallIdSynthetic, "call id (synthetic)", "nothing"),
  ...when(step.source === "messages", "span of the tool call (told by messages)", "nothing"),
];

interface ToolsOfRun {
  readonly usesTools: boolean;
  /** Tool calls have spans of their own, so none hides in an answer. */
  readonly tellsTools: boolean;
}

const modelFields = (step: NormalisedStep, { usesTools, tellsTools }: ToolsOfRun): Field[] => [
  ...when(step.inputMessages === undefined, "input messages", "replay"),
  ...when(
    step.outputMessages === undefined && step.errorClass === null,
    "output messages",
    tellsTools || endsWithoutTools(step) ? "replay" : "verdict",
  ),
  ...when(step.outputMessages === undefined && step.errorClass !== null, "error of the model call", "replay"),
  ...when((step.outputMessages?.length ?? 1) > 1, "one answer of several choices", "replay"),
  ...when(hasUnknownPart(step.outputMessages), "an output part without a known form", "replay"),
  ...when(isCut(step), "content that was cut", "replay"),
  ...when(usesTools && step.toolDefinitions === undefined, "tool definitions", "nothing"),
  ...when(step.requestParameters === undefined, "request parameters", "nothing"),
  ...when(step.responseModel === "", "response model", "nothing"),
  ...when(step.usage.input === null, "usage", "nothing"),
  ...when(step.withheld.includes(REPAIRED), REPAIRED, "nothing"),
];

/** Whatever the answer was, it asked for no tool. */
const endsWithoutTools = ({ finishReasons }: NormalisedStep): boolean =>
  finishReasons.length > 0 && finishReasons.every((reason) => reason === "stop");

/** A mark of a cut stands there whatever else does; a redacted field is missing where it is read. */
const isCut = ({ withheld }: NormalisedStep): boolean => withheld.some((name) => name.endsWith(".truncated"));

/** A thought goes back to its provider signed, and the signature is in no trace. */
const hasUnknownPart = (messages: readonly Message[] = []): boolean =>
  messages.some(({ parts }) => parts.some(({ type }) => type === "other" || type === "reasoning"));

function stepNames(steps: readonly NormalisedStep[]): string[] {
  const bare = steps.map(({ kind, name, requestModel, callId }) =>
    kind === "tool" ? `tool ${name || callId}` : `model ${requestModel || name}`,
  );
  const total = Map.groupBy(bare, (name) => name);
  const seen = new Map<string, number>();
  return bare.map((name) => {
    const count = total.get(name)?.length ?? 1;
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return count === 1 ? name : `${name} (${nth} of ${count})`;
  });
}
