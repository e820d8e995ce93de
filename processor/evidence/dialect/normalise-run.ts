import type { JsonValue } from "../../../instrumentation/json/json.ts";
import type { LogRow, SpanRow } from "../../clickhouse/rows.ts";
import { distinctSpans } from "../distinct-spans.ts";
import { compareNano } from "./compare-nano.ts";
import { textOf } from "./messages.ts";
import type { Message, NormalisedStep } from "./normalised-step.ts";
import { stepFromSpan } from "./step-from-span.ts";
import { enclosingSteps, withoutRepetitions } from "./told-twice.ts";
import { toolSteps } from "./tool-steps.ts";
import { withAnswersOfRequests } from "./answers-of-requests.ts";
import { withWholeConversations } from "./whole-conversations.ts";

/** The steps of one trace, whatever dialect its spans speak, and what they come to. */
export interface NormalisedRun {
  /** In start order. Tool calls that no span tells of are among them. */
  readonly steps: readonly NormalisedStep[];
  /** The outermost agent, else the outermost workflow; `undefined` when model and tool calls have no such span. */
  readonly root: NormalisedStep | undefined;
  /** Of the root, else of any agent, else the service's name. */
  readonly agentName: string;
  /** What the run was asked: the root's own input, else the first thing a user said. `undefined`: not told. */
  readonly input: JsonValue | undefined;
  /** The last text a model answered with; `null` when there is none. */
  readonly answer: string | null;
}

/**
 * Reads the spans and log records of one trace into the one form. Pure, order-free, total: duplicates change nothing, and
 * whatever the attributes hold, missing or broken parts are `undefined`.
 */
export function normaliseRun(spans: readonly SpanRow[], logs: readonly LogRow[] = []): NormalisedRun {
  const distinct = distinctSpans(spans);
  const logsOfSpan = Map.groupBy(distinctLogs(logs), (log) => log.SpanId);
  const told = distinct
    .map((span) => stepFromSpan(span, logsOfSpan.get(span.SpanId)))
    .filter((step) => step !== undefined)
    .sort(byStart);
  const enclosing = enclosingSteps(distinct, told);
  const once = withoutRepetitions(told, enclosing).sort(byStart);
  const whole = withWholeConversations(once, (step) => enclosing.above(step.spanId)?.spanId ?? "");
  const answered = withAnswersOfRequests(whole);
  const others = answered.filter(({ kind }) => kind !== "tool");
  const steps = [...others, ...toolSteps(answered)].sort(byStart);
  const root = rootOf(steps, (step) => enclosing.above(step.spanId));
  return {
    steps,
    root,
    agentName: agentNameOf(root, steps) || (distinct.find(({ ServiceName }) => ServiceName !== "")?.ServiceName ?? ""),
    input: inputOf(root, steps),
    answer: answerOf(root, steps),
  };
}

const agentNameOf = (root: NormalisedStep | undefined, steps: readonly NormalisedStep[]): string =>
  root?.name || (steps.find(({ kind, name }) => kind === "agent" && name !== "")?.name ?? "");

const byStart = (a: NormalisedStep, b: NormalisedStep): number =>
  compareNano(a.startUnixNano, b.startUnixNano) || (a.source === b.source ? 0 : a.source === "span" ? -1 : 1);

/** A sender that tries again sends the same record again. */
const distinctLogs = (logs: readonly LogRow[]): LogRow[] => [
  ...new Map(
    logs.map((log) => [JSON.stringify([log.Timestamp, log.SpanId, log.EventName, log.Body, log.LogAttributes]), log]),
  ).values(),
];

function rootOf(
  steps: readonly NormalisedStep[],
  above: (step: NormalisedStep) => NormalisedStep | undefined,
): NormalisedStep | undefined {
  const outermost = (kind: "agent" | "workflow"): NormalisedStep | undefined =>
    steps.find((step) => step.kind === kind && !isBelowOne(step, above));
  return outermost("agent") ?? outermost("workflow") ?? steps.find(({ kind }) => kind === "agent");
}

const isBelowOne = (step: NormalisedStep, above: (step: NormalisedStep) => NormalisedStep | undefined): boolean =>
  above(step)?.kind === "agent";

function inputOf(root: NormalisedStep | undefined, steps: readonly NormalisedStep[]): JsonValue | undefined {
  if (root?.arguments !== undefined) return root.arguments;
  for (const step of [...(root === undefined ? [] : [root]), ...steps]) {
    const said = (step.inputMessages ?? []).find((message) => message.role === "user" && textOf(message) !== "");
    if (said !== undefined) return textOf(said);
  }
  return undefined;
}

function answerOf(root: NormalisedStep | undefined, steps: readonly NormalisedStep[]): string | null {
  const last = steps.findLast(({ kind, outputMessages }) => kind === "model" && outputMessages !== undefined);
  const text = lastText(last?.outputMessages) || lastText(root?.outputMessages);
  if (text !== "") return text;
  return typeof root?.result === "string" ? root.result : null;
}

const lastText = (messages: readonly Message[] | undefined): string =>
  (messages ?? []).map(textOf).findLast((text) => text !== "") ?? "";
