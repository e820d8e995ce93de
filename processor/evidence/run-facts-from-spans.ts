import { parseClosingEvidence } from "../../instrumentation/contract/closing-evidence.ts";
import {
  contractSha256,
  parseContract,
  ContractError,
  type RunContract,
} from "../../instrumentation/contract/contract.ts";
import type { AbandonCause, ClosingEvidence, RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { RUN_TYPES } from "../../instrumentation/contract/run-record.ts";
import { parseJson, type JsonValue } from "../../instrumentation/json/json.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { callFromSpan, toolCallEvidence } from "./call-from-span.ts";
import { distinctSpans } from "./distinct-spans.ts";
import { inferredToolCalls } from "./inferred-tool-calls.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { retriedExchanges } from "./retried-exchanges.ts";
import type { RunFacts } from "./run-facts.ts";
import { callsOfSubRuns } from "./sub-run-calls.ts";
import { attribute, endUnixNano, resourceAttribute } from "./span-attributes.ts";
import { unrecordedOperationsFrom } from "./unrecorded-operations.ts";

/** What the spans themselves cannot say. */
export interface KnownFacts {
  /** A contract stored under the run's hash, for when the start record never arrived. */
  readonly contract?: RunContract | null;
  /** The deadline passed and nothing closed the run; with a cause if the watchdog found one. */
  readonly abandoned?: { readonly cause: AbandonCause | null };
  /** Why these spans are not all there is. */
  readonly gap?: string;
}

/**
 * Folds the spans of a trace into the facts of one run. Pure, idempotent and order-free: duplicates, reordering and
 * spans of other runs change nothing. Total: whatever the attributes hold, missing or broken parts become gaps.
 */
export function runFactsFromSpans(runId: string, spans: readonly SpanRow[], known: KnownFacts = {}): RunFacts {
  const own = distinctSpans(spans.filter((span) => attribute(span, semconv.ATTR_RUN_ID) === runId));
  const byEvent = (event: string): SpanRow | undefined =>
    own.find((span) => attribute(span, semconv.ATTR_RUN_EVENT) === event);
  const root = byEvent(semconv.RUN_EVENT_ROOT);
  const start = byEvent(semconv.RUN_EVENT_START);
  const close = byEvent(semconv.RUN_EVENT_CLOSE);
  const told = [root, start, close, ...own].filter((span) => span !== undefined);
  const first = (name: string): string => told.map((span) => attribute(span, name)).find((text) => text !== "") ?? "";
  const calls = own.map(callFromSpan).filter((call) => call !== null);
  const startNano = (start ?? root)?.Timestamp ?? null;
  const end = root === undefined ? close && BigInt(close.Timestamp) : endUnixNano(root);
  const contract = readContract(
    first(semconv.ATTR_CONTRACT),
    first(semconv.ATTR_CONTRACT_SHA256),
    known.contract ?? null,
  );
  const type = first(semconv.ATTR_RUN_TYPE);
  return {
    runId,
    parentRunId: first(semconv.ATTR_PARENT_RUN_ID),
    traceId: told[0]?.TraceId ?? "",
    rootSpanId: root?.SpanId ?? first(semconv.ATTR_ROOT_SPAN_ID),
    agentName: first(semconv.ATTR_AGENT_NAME),
    runType: RUN_TYPES.find((one) => one === type) ?? "live",
    fixtureId: first(semconv.ATTR_FIXTURE_ID),
    taskId: first(semconv.ATTR_TASK_ID),
    attempt: Math.ceil(positive(first(semconv.ATTR_ATTEMPT), { otherwise: 1, max: MAX_ATTEMPT })),
    codeVersion: first(semconv.ATTR_CODE_VERSION),
    model: first(semconv.ATTR_REQUEST_MODEL),
    promptVersion: first(semconv.ATTR_PROMPT_VERSION),
    timeoutSeconds: positive(first(semconv.ATTR_TIMEOUT_SECONDS), {
      otherwise: contract.contract?.limits.timeoutSeconds ?? 3_600,
      max: MAX_TIMEOUT_SECONDS,
    }),
    serviceName: told[0]?.ServiceName ?? "",
    project:
      first(semconv.ATTR_PROJECT) ||
      told.map((span) => resourceAttribute(span, semconv.ATTR_PROJECT)).find(Boolean) ||
      "",
    input: jsonOf(first(semconv.ATTR_RUN_INPUT)),
    inputSha256: first(semconv.ATTR_INPUT_SHA256),
    state: jsonOf(first(semconv.ATTR_RUN_STATE)),
    startUnixNano: startNano,
    closeUnixNano: end === undefined ? null : String(end),
    contract: contract.contract,
    contractSha256: contract.sha256,
    contractProblem: contract.problem,
    evidence: evidenceOf({
      runId,
      own,
      root,
      close,
      calls,
      startNano,
      end,
      known,
      agentName: first(semconv.ATTR_AGENT_NAME),
      contract: contract.contract,
      contractProblem: contract.problem,
    }),
    calls,
    subRunCalls: callsOfSubRuns(runId, spans),
    path: first(semconv.ATTR_RUN_PATH),
    timeZone: first(semconv.ATTR_TIME_ZONE),
    locale: first(semconv.ATTR_LOCALE),
    factCount: own.length,
  };
}

/** An absent text is told apart first: an exception for each run costs more than all the rest. */
const jsonOf = (text: string): JsonValue | undefined => (text === "" ? undefined : parseJson(text));

interface Parts {
  readonly runId: string;
  readonly agentName: string;
  readonly own: readonly SpanRow[];
  readonly root: SpanRow | undefined;
  readonly close: SpanRow | undefined;
  readonly calls: readonly RecordedCall[];
  readonly startNano: string | null;
  readonly end: bigint | undefined;
  readonly known: KnownFacts;
  readonly contract: RunContract | null;
  readonly contractProblem: string | null;
}

function evidenceOf(parts: Parts): RunEvidence {
  const { root, close, calls, startNano, end, known } = parts;
  const ended = root !== undefined || close !== undefined;
  const closing = ended ? closingOf(root, close) : null;
  const gaps = ended && closing === null ? ["the run ended without evidence that can be read"] : [];
  if (parts.contractProblem !== null) gaps.push(parts.contractProblem);
  if (known.gap !== undefined) gaps.push(known.gap);
  return {
    runId: parts.runId,
    agentName: parts.agentName,
    phase: ended ? "ended" : known.abandoned === undefined ? "open" : "abandoned",
    abandonCause: ended || known.abandoned === undefined ? null : (known.abandoned.cause ?? causeOf(parts.own)),
    elapsedSeconds: end === undefined || startNano === null ? null : Number(end - BigInt(startNano)) / 1e9,
    toolCalls: [
      ...calls.filter((call) => call.kind === "tool").map(toolCallEvidence),
      ...inferredToolCalls(parts.own, calls, parts.contract?.tools?.sideEffects),
    ],
    ...exchangesOf(calls),
    closing,
    gaps,
    ...unrecordedOperationsFrom(parts.own),
  };
}

function exchangesOf(calls: readonly RecordedCall[]): Pick<RunEvidence, "exchangeCount" | "retriedExchanges"> {
  const exchangeCount = calls.filter((call) => call.kind === "http").length;
  return exchangeCount === 0 ? {} : { exchangeCount, retriedExchanges: retriedExchanges(calls) };
}

/** The root span and the close record carry the same evidence; whichever arrived and can be read serves. */
function closingOf(root: SpanRow | undefined, close: SpanRow | undefined): ClosingEvidence | null {
  for (const span of [root, close]) {
    const closing = span === undefined ? null : parseClosingEvidence(attribute(span, semconv.ATTR_EVIDENCE));
    if (closing !== null) return closing;
  }
  return null;
}

/** What the process's last words say: its exit hook ran, or the next process found it dead. */
function causeOf(own: readonly SpanRow[]): AbandonCause {
  const last = (event: string): SpanRow | undefined =>
    own.find((span) => attribute(span, semconv.ATTR_RUN_EVENT) === event);
  const exit = last(semconv.RUN_EVENT_PROCESS_EXIT);
  if (exit !== undefined) return attribute(exit, semconv.ATTR_EXIT_CODE) === "0" ? "clean_shutdown" : "died";
  return last(semconv.RUN_EVENT_PROCESS_DIED) === undefined ? "unknown" : "died";
}

interface ContractReading {
  readonly contract: RunContract | null;
  readonly sha256: string;
  readonly problem: string | null;
}

/** The contract on the spans wins if it is the one its hash names: a changed text must not judge the run. */
function readContract(text: string, sha256: string, known: RunContract | null): ContractReading {
  if (text === "") {
    const usable = known !== null && (sha256 === "" || contractSha256(known) === sha256);
    return { contract: usable ? known : null, sha256, problem: null };
  }
  try {
    const contract = parseContract(parseJson(text));
    const actual = contractSha256(contract);
    if (sha256 === "" || actual === sha256) return { contract, sha256: actual, problem: null };
    return { contract: null, sha256, problem: "the contract on the start record is not the one its hash names" };
  } catch (error) {
    const problems = error instanceof ContractError ? error.problems.slice(0, 3).join("; ") : String(error);
    return { contract: null, sha256, problem: `the contract of the run does not parse: ${problems}` };
  }
}

/** What the store's columns hold; a number beyond them must not keep the run from being recorded. */
const MAX_ATTEMPT = 2 ** 32 - 1;
/** As in a contract: a deadline that never comes would hide an abandoned run. */
const MAX_TIMEOUT_SECONDS = 2_592_000;

function positive(text: string, { otherwise, max }: { readonly otherwise: number; readonly max: number }): number {
  const value = Number(text);
  return text !== "" && Number.isFinite(value) && value > 0 ? Math.min(value, max) : otherwise;
}
