/**
 * Every attribute, event and span name runproof writes or reads. The only place they are spelled.
 *
 * `gen_ai.*` follows OpenTelemetry semantic conventions v1.41.1, the last released GenAI text (stability: Development).
 * `runproof.*` is ours and stable from 1.0. Structured values are JSON text: SDK 2.x drops objects silently.
 */

/** Written on every span of ours, so that a reader knows which spelling it meets. */
export const SEMCONV_VERSION = "1.41.1";
export const INSTRUMENTATION_SCOPE = "runproof";

// --- OpenTelemetry GenAI (v1.41.1) ---
export const ATTR_OPERATION_NAME = "gen_ai.operation.name";
export const ATTR_AGENT_NAME = "gen_ai.agent.name";
export const ATTR_PROVIDER_NAME = "gen_ai.provider.name";
export const ATTR_REQUEST_MODEL = "gen_ai.request.model";
export const ATTR_TOOL_NAME = "gen_ai.tool.name";
export const ATTR_TOOL_TYPE = "gen_ai.tool.type";
export const ATTR_TOOL_CALL_ID = "gen_ai.tool.call.id";
export const ATTR_TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments";
export const ATTR_TOOL_CALL_RESULT = "gen_ai.tool.call.result";
export const ATTR_INPUT_MESSAGES = "gen_ai.input.messages";
export const ATTR_OUTPUT_MESSAGES = "gen_ai.output.messages";
export const ATTR_ERROR_TYPE = "error.type";
export const OPERATION_INVOKE_AGENT = "invoke_agent";
export const OPERATION_EXECUTE_TOOL = "execute_tool";
export const OPERATION_CHAT = "chat";
export const PROVIDER_RUNPROOF = "runproof";

// --- OpenTelemetry GenAI evaluation event ---
export const EVENT_EVALUATION_RESULT = "gen_ai.evaluation.result";
/** Value of `gen_ai.evaluation.name` for a run's verdict. */
export const EVALUATION_RUN_VERDICT = "runproof.verdict";
export const ATTR_EVALUATION_NAME = "gen_ai.evaluation.name";
export const ATTR_EVALUATION_SCORE_VALUE = "gen_ai.evaluation.score.value";
export const ATTR_EVALUATION_SCORE_LABEL = "gen_ai.evaluation.score.label";
export const ATTR_EVALUATION_EXPLANATION = "gen_ai.evaluation.explanation";

// --- OpenTelemetry resource ---
export const ATTR_SERVICE_NAME = "service.name";
export const ATTR_SERVICE_INSTANCE_ID = "service.instance.id";

// --- the run record ---
export const ATTR_RUN_ID = "runproof.run.id";
export const ATTR_PARENT_RUN_ID = "runproof.run.parent_id";
export const ATTR_RUN_TYPE = "runproof.run.type";
export const ATTR_TASK_ID = "runproof.task.id";
export const ATTR_ATTEMPT = "runproof.run.attempt";
export const ATTR_FIXTURE_ID = "runproof.fixture.id";
export const ATTR_CODE_VERSION = "runproof.code.version";
export const ATTR_PROMPT_VERSION = "runproof.prompt.version";
export const ATTR_TIMEOUT_SECONDS = "runproof.run.timeout_seconds";
/** JSON text of the task's input, redacted. */
export const ATTR_RUN_INPUT = "runproof.run.input";
export const ATTR_INPUT_SHA256 = "runproof.run.input_sha256";
/** JSON text: state payloads the run started from, by name, redacted. */
export const ATTR_RUN_STATE = "runproof.run.state";
export const ATTR_PROJECT = "runproof.project";
/** What the data said its project was, where the credential says something else. */
export const ATTR_PROJECT_CLAIMED = "runproof.project.claimed";
/** Span id of the run's root span, on every record span. */
export const ATTR_ROOT_SPAN_ID = "runproof.run.root_span_id";

// --- record spans: zero-duration spans on the flush-now path, and the root span ---
/** What a span says about its run: one of the `RUN_EVENT_*` values. */
export const ATTR_RUN_EVENT = "runproof.event";
export const RUN_EVENT_ROOT = "run";
export const RUN_EVENT_START = "start";
export const RUN_EVENT_CHECKPOINT = "checkpoint";
export const RUN_EVENT_CLOSE = "close";
/** The run's process ended while the run was open (written by its exit hook). */
export const RUN_EVENT_PROCESS_EXIT = "process_exit";
/** The next process found the crash spool of a dead process that had an open run. */
export const RUN_EVENT_PROCESS_DIED = "process_died";
export const ATTR_CHECKPOINT_NAME = "runproof.checkpoint.name";
export const ATTR_CHECKPOINT_ATTRIBUTES = "runproof.checkpoint.attributes";
export const ATTR_EXIT_CODE = "runproof.process.exit_code";

// --- contract, evidence, verdict ---
/** JSON text of the contract, on the start record. */
export const ATTR_CONTRACT = "runproof.contract";
export const ATTR_CONTRACT_SHA256 = "runproof.contract.sha256";
/** JSON text of `ClosingEvidence`, on the root span and on the close record. */
export const ATTR_EVIDENCE = "runproof.evidence";
export const ATTR_VERDICT_STATUS = "runproof.verdict.status";
export const ATTR_VERDICT_FAILURE_CLASS = "runproof.verdict.failure_class";
export const ATTR_VERDICT_FAILURE_REASON = "runproof.verdict.failure_reason";
/** JSON text: the reasons and the proofs of the verdict. */
export const ATTR_VERDICT_REASONS = "runproof.verdict.reasons";
export const ATTR_VERDICT_PROOFS = "runproof.verdict.proofs";

// --- one recorded call (tool, model, probe) ---
/** `tool`, `model` or `probe`. */
export const ATTR_CALL_KIND = "runproof.call.kind";
/** JSON text of a model call's whole request and response; tool calls use `gen_ai.tool.call.*`. */
export const ATTR_MODEL_REQUEST = "runproof.model.request";
export const ATTR_MODEL_RESPONSE = "runproof.model.response";
export const ATTR_SIDE_EFFECT = "runproof.tool.side_effect";
/** Durable reference the call produced, such as a message id or a booking number. */
export const ATTR_CALL_REFERENCE = "runproof.tool.reference";
/** JSON text: one `{status, error_class, wait_ms}` per attempt. */
export const ATTR_CALL_ATTEMPTS = "runproof.tool.attempts";
/** Where in the run the call was made: tool name and ordinal within its parent step, `search#0/fetch#1`. */
export const ATTR_CALL_PATH = "runproof.call.path";
/** JSON text `{"arguments": {"form", "problem"?}, "result": {…}}`: how each was kept, and why a value is missing. */
export const ATTR_CALL_CAPTURE = "runproof.call.capture";
/** JSON text of the thrown error, `{name, message}`; with it a replay can throw the same. */
export const ATTR_CALL_ERROR = "runproof.call.error";
/** Set by the receiver: JSON text of the attribute values it had to cut. */
export const ATTR_TRUNCATED = "runproof.truncated";

/** Span name of the record spans: `runproof.run start`, `runproof.run close` … */
export const recordSpanName = (event: string): string => `runproof.run ${event}`;
