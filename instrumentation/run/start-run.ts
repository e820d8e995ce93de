import { resolve } from "node:path";
import { context, isSpanContextValid, SpanKind, trace } from "@opentelemetry/api";
import { captureValue } from "../capture/capture-value.ts";
import { contractSha256, parseContract, type RunContract } from "../contract/contract.ts";
import { failOpen, failOpenAsync } from "../fail-open.ts";
import { canonicalJson, sha256Hex } from "../json/canonical.ts";
import { toJson, type JsonValue } from "../json/json.ts";
import { gitBase } from "../probes/git-diff-probe.ts";
import { runtime, type Runtime } from "../runtime.ts";
import * as semconv from "../semconv.ts";
import type { ActiveRun, Run, StateReader } from "./active-run.ts";
import { newRunId, newSpanId, newTraceId } from "./run-id.ts";
import { currentScope } from "./run-scope.ts";
import { sendRecord } from "./send-record.ts";

export interface StartRunOptions {
  /** What the run is given to work on: JSON. A replay gives it again, so a run without it cannot be replayed. */
  readonly input?: unknown;
  /** Stable id of the task, the same for every attempt. Default: the run id. */
  readonly taskId?: string;
  /** 1 for the first. */
  readonly attempt?: number;
  readonly model?: string;
  readonly promptVersion?: string;
  /** State payloads the run starts from, by name; kept for the replay. */
  readonly state?: Readonly<Record<string, unknown>>;
  /** Observes the state the contract speaks of. */
  readonly readState?: StateReader;
  /** Folder that relative paths of the contract start from. Default: the working folder. */
  readonly cwd?: string;
}

/**
 * Opens a run and makes it visible before any work begins: resolves once the start record is acknowledged, or after the
 * deadline (500 ms by default) once it lies in the crash spool. Never rejects for trouble of its own. A contract that
 * was not made by `defineContract()` is parsed, and `ContractError` is thrown when it is not valid.
 *
 * Code between here and `closeRun()` finds the run by itself when it runs inside `withRun()` or `runInContext()`.
 */
export async function startRun(contract: RunContract, options: StartRunOptions = {}): Promise<Run> {
  const parsed = parseContract(contract);
  const run = openRun(runtime(), parsed, options);
  await failOpenAsync("sending the start record", () => sendStart(run, options), undefined);
  await failOpenAsync("observing the start state", () => observeStart(run), undefined);
  return run;
}

function openRun(shared: Runtime, contract: RunContract, options: StartRunOptions): ActiveRun {
  const startUnixNano = shared.nowUnixNano();
  const cwd = options.cwd ?? process.cwd();
  const runId = newRunId(Date.now());
  const parent = currentScope()?.run;
  const kept = redactedContract(shared, contract);
  const attributes = recordAttributes({ shared, runId, parentRunId: parent?.runId ?? "", contract: kept, options });
  const startTime: [number, number] = [Number(startUnixNano / 1_000_000_000n), Number(startUnixNano % 1_000_000_000n)];
  const span = shared.tracer().startSpan(
    `${semconv.OPERATION_INVOKE_AGENT} ${contract.agent}`,
    {
      kind: SpanKind.INTERNAL,
      startTime,
      attributes: {
        ...attributes,
        [semconv.ATTR_RUN_EVENT]: semconv.RUN_EVENT_ROOT,
        [semconv.ATTR_CONTRACT]: canonicalJson(kept as unknown as JsonValue),
      },
    },
    parent === undefined || trace.getSpan(context.active()) !== undefined
      ? context.active()
      : trace.setSpan(context.active(), parent.span),
  );
  const ids = isSpanContextValid(span.spanContext())
    ? span.spanContext()
    : { traceId: parent?.traceId ?? newTraceId(), spanId: newSpanId() };
  const run: ActiveRun = {
    runId,
    traceId: ids.traceId,
    rootSpanId: ids.spanId,
    contract,
    runtime: shared,
    span,
    recording: span.isRecording(),
    parentRunId: parent?.runId ?? "",
    recordAttributes: { ...attributes, [semconv.ATTR_ROOT_SPAN_ID]: ids.spanId },
    startUnixNano,
    cwd,
    workspace: resolve(cwd, contract.changes?.workspace ?? "."),
    artifacts: [],
    pending: new Set(),
    readState: options.readState,
    stateBefore: undefined,
    gitBase: null,
    answer: null,
    claimed: null,
    toolCallCount: 0,
    stepCount: 0,
    gaps: [],
    closing: undefined,
    setAnswer: (text, { append = false } = {}) => {
      run.answer = append && run.answer !== null ? `${run.answer}\n${text}` : text;
    },
    claim: (outcome, detail = "") => {
      run.claimed = { outcome, detail };
    },
  };
  return run;
}

/** The contract goes through the same redactor as the evidence, so that what was equal stays equal. */
function redactedContract(shared: Runtime, contract: RunContract): RunContract {
  return failOpen(
    "redacting the contract",
    () => parseContract(shared.redactor.json(contract as unknown as JsonValue)),
    contract,
  );
}

interface RecordParts {
  readonly shared: Runtime;
  readonly runId: string;
  readonly parentRunId: string;
  readonly contract: RunContract;
  readonly options: StartRunOptions;
}

function recordAttributes({
  shared,
  runId,
  parentRunId,
  contract,
  options,
}: RecordParts): Record<string, string | number> {
  const { runType, fixtureId, codeVersion, project } = shared.options;
  const attributes: Record<string, string | number> = {
    [semconv.ATTR_OPERATION_NAME]: semconv.OPERATION_INVOKE_AGENT,
    [semconv.ATTR_PROVIDER_NAME]: semconv.PROVIDER_RUNPROOF,
    [semconv.ATTR_AGENT_NAME]: contract.agent,
    [semconv.ATTR_RUN_ID]: runId,
    [semconv.ATTR_PARENT_RUN_ID]: parentRunId,
    [semconv.ATTR_RUN_TYPE]: runType,
    [semconv.ATTR_TASK_ID]: options.taskId ?? runId,
    [semconv.ATTR_ATTEMPT]: options.attempt ?? 1,
    [semconv.ATTR_FIXTURE_ID]: fixtureId,
    [semconv.ATTR_CODE_VERSION]: codeVersion,
    [semconv.ATTR_REQUEST_MODEL]: options.model ?? "",
    [semconv.ATTR_PROMPT_VERSION]: options.promptVersion ?? "",
    [semconv.ATTR_TIMEOUT_SECONDS]: contract.limits.timeoutSeconds,
    [semconv.ATTR_PROJECT]: project,
    [semconv.ATTR_CONTRACT_SHA256]: contractSha256(contract),
    [semconv.ATTR_INPUT_SHA256]: inputSha256(shared, options.input),
  };
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}

/** Hash of the redacted input: what the stored input can be checked against, and equal for equal inputs. */
function inputSha256(shared: Runtime, input: unknown): string {
  if (input === undefined) return "";
  const json = toJson(input);
  return json === undefined
    ? ""
    : failOpen("hashing the input", () => sha256Hex(canonicalJson(shared.redactor.json(json))), "");
}

async function sendStart(run: ActiveRun, options: StartRunOptions): Promise<void> {
  const kept = redactedContract(run.runtime, run.contract);
  run.runtime.channel.runOpened({
    runId: run.runId,
    traceId: run.traceId,
    rootSpanId: run.rootSpanId,
    attributes: run.recordAttributes,
  });
  await sendRecord(run, semconv.RUN_EVENT_START, {
    [semconv.ATTR_CONTRACT]: canonicalJson(kept as unknown as JsonValue),
    ...valueAttribute(run, semconv.ATTR_RUN_INPUT, options.input),
    ...valueAttribute(run, semconv.ATTR_RUN_STATE, options.state),
  });
}

function valueAttribute(run: ActiveRun, name: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const { captureMaxBytes } = run.runtime.options;
  const kept = captureValue(value, {
    policy: "redacted",
    maxBytes: captureMaxBytes * 4,
    redactor: run.runtime.redactor,
  });
  return kept.form === "hash" || kept.text === undefined ? {} : { [name]: kept.text };
}

async function observeStart(run: ActiveRun): Promise<void> {
  if (run.contract.changes !== undefined) run.gitBase = await gitBase({ cwd: run.workspace });
  if (run.readState !== undefined) run.stateBefore = run.runtime.redactor.json(toJson(await run.readState()) ?? null);
}
