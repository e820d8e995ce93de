import { resolve } from "node:path";
import { captureValue, type CapturedValue, sha256Of } from "../capture/capture-value.ts";
import { contractSha256, type RunContract } from "../contract/contract.ts";
import { failOpen, failOpenAsync } from "../fail-open.ts";
import { canonicalJson } from "../json/canonical.ts";
import type { JsonValue } from "../json/json.ts";
import { gitBase } from "../probes/git-diff-probe.ts";
import { realNow } from "../real-sources.ts";
import { runtime, type Runtime } from "../runtime.ts";
import * as semconv from "../semconv.ts";
import type { ActiveRun, StateReader } from "./active-run.ts";
import { readStateBounded } from "./read-state.ts";
import { placeAttributes } from "./place-attributes.ts";
import { openRootSpan, rootAttributes, rootSpanName } from "./root-span.ts";
import { newRunId } from "./run-id.ts";
import { currentScope, nextCallPath } from "./run-scope.ts";
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

/** A run that is open, and what is under way for it. Neither promise rejects. */
export interface OpenedRun {
  readonly run: ActiveRun;
  /** Resolves once the start record is acknowledged, or lies in the crash spool. It is on its way already. */
  readonly startRecord: Promise<void>;
  /** Resolves once the state the contract speaks of was observed. */
  readonly startState: Promise<void>;
}

/** Opens a run without waiting for anything; `contract` is a parsed one. */
export function openRun(contract: RunContract, options: StartRunOptions): OpenedRun {
  const shared = runtime();
  const given = capturedGivens(shared, options);
  const run = createRun({
    shared,
    contract,
    options,
    inputSha256: given.input === undefined ? "" : (sha256Of(given.input) ?? ""),
  });
  return {
    run,
    startRecord: failOpenAsync("sending the start record", () => sendStart(run, given), undefined),
    startState: failOpenAsync("observing the start state", () => observeStart(run), undefined),
  };
}

interface Opening {
  readonly shared: Runtime;
  readonly contract: RunContract;
  readonly options: StartRunOptions;
  readonly inputSha256: string;
}

function createRun(opening: Opening): ActiveRun {
  const { shared, contract, options } = opening;
  const startUnixNano = shared.nowUnixNano();
  const runId = newRunId(realNow());
  const parent = currentScope();
  const parentRunId = parent?.run.runId ?? "";
  // Through the same redactor as the evidence, so that what was equal stays equal.
  const redacted = shared.redactor.json(contract as unknown as JsonValue);
  const contractText = canonicalJson(redacted);
  const kept = redacted as unknown as RunContract;
  const path = parent === undefined ? "" : nextCallPath(parent, kept.agent || "agent");
  const attributes = recordAttributes({ ...opening, runId, parentRunId, path, kept });
  const root = openRootSpan(shared, {
    name: rootSpanName(String(attributes[semconv.ATTR_AGENT_NAME])),
    startUnixNano,
    attributes: rootAttributes({ recordAttributes: attributes, contractText }),
  });
  const cwd = options.cwd ?? failOpen("finding the working folder", () => process.cwd(), "/");
  const run: ActiveRun = {
    ...root,
    runId,
    contract,
    contractText,
    runtime: shared,
    parentRunId,
    path,
    ordinals: new Map(),
    recordAttributes: { ...attributes, [semconv.ATTR_ROOT_SPAN_ID]: root.rootSpanId },
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
    exchangeCount: 0,
    silentRetryCount: 0,
    gaps: new Set(),
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

interface RecordParts extends Opening {
  readonly runId: string;
  readonly parentRunId: string;
  readonly path: string;
  /** The contract, redacted. */
  readonly kept: RunContract;
}

function recordAttributes(parts: RecordParts): Record<string, string | number> {
  const { shared, runId, kept, contract, options } = parts;
  const { runType, fixtureId, codeVersion, project } = shared.options;
  const attributes: Record<string, string | number> = {
    [semconv.ATTR_OPERATION_NAME]: semconv.OPERATION_INVOKE_AGENT,
    [semconv.ATTR_PROVIDER_NAME]: semconv.PROVIDER_RUNPROOF,
    [semconv.ATTR_AGENT_NAME]: kept.agent ?? "",
    [semconv.ATTR_RUN_ID]: runId,
    [semconv.ATTR_PARENT_RUN_ID]: parts.parentRunId,
    [semconv.ATTR_RUN_PATH]: parts.path,
    [semconv.ATTR_RUN_TYPE]: runType,
    [semconv.ATTR_TASK_ID]: options.taskId === undefined ? runId : shared.redactor.text(options.taskId),
    [semconv.ATTR_ATTEMPT]: options.attempt ?? 1,
    [semconv.ATTR_FIXTURE_ID]: fixtureId,
    [semconv.ATTR_CODE_VERSION]: codeVersion,
    [semconv.ATTR_REQUEST_MODEL]: options.model ?? "",
    [semconv.ATTR_PROMPT_VERSION]: options.promptVersion ?? "",
    [semconv.ATTR_TIMEOUT_SECONDS]: contract.limits.timeoutSeconds,
    [semconv.ATTR_PROJECT]: project,
    [semconv.ATTR_CONTRACT_SHA256]: contractSha256(kept),
    [semconv.ATTR_INPUT_SHA256]: parts.inputSha256,
  };
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}

/** What a replay gives the agent again; captured once, so that the hash is the hash of what is stored. */
interface Givens {
  readonly input: CapturedValue | undefined;
  readonly state: CapturedValue | undefined;
}

/** A run's input may be larger than one tool's result. */
const GIVEN_SIZE_FACTOR = 4;

function capturedGivens(
  { options: { capture, captureMaxBytes }, redactor }: Runtime,
  options: StartRunOptions,
): Givens {
  const captured = (value: unknown): CapturedValue | undefined =>
    value === undefined
      ? undefined
      : captureValue(value, { policy: capture, maxBytes: captureMaxBytes * GIVEN_SIZE_FACTOR, redactor });
  return { input: captured(options.input), state: captured(options.state) };
}

async function sendStart(run: ActiveRun, { input, state }: Givens): Promise<void> {
  run.runtime.channel.runOpened({
    runId: run.runId,
    traceId: run.traceId,
    rootSpanId: run.rootSpanId,
    attributes: run.recordAttributes,
  });
  await sendRecord(run, semconv.RUN_EVENT_START, {
    [semconv.ATTR_CONTRACT]: run.contractText,
    ...placeAttributes(),
    ...valueAttribute(semconv.ATTR_RUN_INPUT, input),
    ...valueAttribute(semconv.ATTR_RUN_STATE, state),
  });
}

const valueAttribute = (name: string, kept: CapturedValue | undefined): Record<string, string> =>
  kept?.text === undefined || kept.form === "hash" ? {} : { [name]: kept.text };

async function observeStart(run: ActiveRun): Promise<void> {
  const [base, state] = await Promise.all([
    run.contract.changes === undefined ? null : gitBase({ cwd: run.workspace }),
    run.readState === undefined ? undefined : readStateBounded(run, run.readState),
  ]);
  run.gitBase = base;
  if (state === undefined) return;
  if ("value" in state) run.stateBefore = run.runtime.redactor.json(state.value);
  else run.gaps.add(`the state at the start could not be read: ${state.problem}`);
}
