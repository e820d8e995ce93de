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
/** What the worker of a replay saw and the agent's own spans do not tell. */
export const RUN_EVENT_REPLAY = "replay";
/** JSON text: a list of what a strict replay tried that no recording covers, in words. */
export const ATTR_UNRECORDED_OPERATIONS = "runproof.replay.unrecorded_operations";
export const ATTR_CHECKPOINT_NAME = "runproof.checkpoint.name";
export const ATTR_CHECKPOINT_ATTRIBUTES = "runproof.checkpoint.attributes";
export const ATTR_EXIT_CODE = "runproof.process.exit_code";

// --- the world of a run, which a replay gives back ---
/** Call path of a sub-agent's run within the outermost run of its process; its calls' paths begin with it. */
export const ATTR_RUN_PATH = "runproof.run.path";
/** On the start record: IANA time zone and BCP 47 locale of the process. */
export const ATTR_TIME_ZONE = "runproof.process.time_zone";
export const ATTR_LOCALE = "runproof.process.locale";

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
/** `tool`, `model`, `probe` or `http`. */
export const ATTR_CALL_KIND = "runproof.call.kind";
/** `true` where a replay lets the call happen, because what it is made of is recorded below it. */
export const ATTR_CALL_OBSERVED = "runproof.call.observed";
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
/** Name of an HTTP exchange, `GET api.example.org`; tools and models have theirs in `gen_ai.*`. */
export const ATTR_CALL_NAME = "runproof.call.name";
/** JSON text of an HTTP exchange: `{method, url, headers, body}`, and `{status, headers, chunks, end}` as it came. */
export const ATTR_HTTP_REQUEST = "runproof.http.request";
export const ATTR_HTTP_RESPONSE = "runproof.http.response";
/** Set by the receiver: JSON text of the attribute values it had to cut. */
export const ATTR_TRUNCATED = "runproof.truncated";

/** Span name of the record spans: `runproof.run start`, `runproof.run close` … */
export const recordSpanName = (event: string): string => `runproof.run ${event}`;

// --- what the service says about itself ---
/** Kind, unit (UCUM) and meaning of a metric. Counters and durations only ever grow; gauges are read when asked for. */
export interface MetricDefinition {
  readonly name: string;
  readonly kind: "counter" | "histogram" | "observable_counter" | "observable_gauge";
  readonly unit: string;
  readonly description: string;
}

const counter = (name: string, unit: string, description: string) =>
  ({ name, kind: "counter", unit, description }) as const satisfies MetricDefinition;
const histogram = (name: string, unit: string, description: string) =>
  ({ name, kind: "histogram", unit, description }) as const satisfies MetricDefinition;
const observed = (name: string, unit: string, description: string) =>
  ({ name, kind: "observable_counter", unit, description }) as const satisfies MetricDefinition;
const gauge = (name: string, unit: string, description: string) =>
  ({ name, kind: "observable_gauge", unit, description }) as const satisfies MetricDefinition;

/** Every metric of the service, in the one place where they are spelled. No label grows with the data: see `LABEL_*`. */
export const SELF_METRICS = {
  requests: counter("runproof.receiver.requests", "{request}", "OTLP requests, by what became of them."),
  records: counter("runproof.receiver.records", "{record}", "Spans and log records in acknowledged requests."),
  rejected: counter("runproof.receiver.rejected", "{record}", "Records that the sender was told can never be stored."),
  receivedBytes: counter("runproof.receiver.io", "By", "Bodies of acknowledged requests, after decompression."),
  projectRecords: counter("runproof.receiver.project.records", "{record}", "Acknowledged records by project."),
  ackDuration: histogram(
    "runproof.receiver.ack.duration",
    "s",
    "Time from a checked body to its durable place on disk.",
  ),

  spoolSize: gauge("runproof.spool.size", "By", "Acknowledged bytes that are not in the store yet."),
  spoolLimit: gauge("runproof.spool.limit", "By", "Bytes that the spool holds at most."),
  spoolSegments: gauge("runproof.spool.segments", "{segment}", "Files of the spool."),
  spoolAge: gauge("runproof.spool.oldest.age", "s", "Age of the oldest record that is not in the store yet."),
  spoolWritable: gauge("runproof.spool.writable", "", "1 while the spool can be written, else 0."),
  spoolBodies: observed("runproof.spool.bodies", "{request}", "Bodies offered to the spool, by what became of them."),
  spoolDamaged: observed("runproof.spool.quarantined", "By", "Bytes of damaged parts of the spool, set aside."),
  spoolSyncDuration: histogram("runproof.spool.sync.duration", "s", "Time of an fdatasync of the spool."),

  storeRows: counter("runproof.store.rows", "{row}", "Rows stored, by table."),
  insertDuration: histogram("runproof.store.insert.duration", "s", "Time of an insert, by table and outcome."),
  batchRetries: counter(
    "runproof.store.batch.retries",
    "{retry}",
    "Batches of the spool that have to be stored again.",
  ),
  quarantinedRows: counter("runproof.store.quarantined", "{row}", "Rows that can never be stored, set aside."),
  storeUp: gauge("runproof.store.up", "", "1 while the last batch was stored, 0 while it is tried again."),

  verdicts: counter("runproof.run.verdicts", "{run}", "Run records stored, by status."),
  verdictLag: histogram("runproof.run.verdict.lag", "s", "Time from a run's end in the store to its stored verdict."),
  runsOpen: gauge("runproof.run.open", "{run}", "Runs that have started and not ended."),
  runsWaiting: gauge("runproof.run.queue.length", "{run}", "Runs that wait to be judged."),
  scanAge: gauge("runproof.watchdog.scan.age", "s", "Time since the watchdog's last complete scan."),
  scanLag: gauge("runproof.watchdog.scan.lag", "s", "How much of that is more than the pause between scans."),
  gaps: counter("runproof.monitor.gaps", "{gap}", "Times in which the monitor itself was away."),
  gapTime: counter("runproof.monitor.gap.time", "s", "How long it was away, in sum."),

  engineUp: gauge("runproof.engine.up", "", "1 while the embedded engine executes statements, else 0."),
  engineRestarts: observed("runproof.engine.restarts", "{restart}", "Replacements of the engine's process, by reason."),
  engineMemory: gauge("runproof.engine.memory.usage", "By", "Resident memory of the engine's process."),
  engineStatement: gauge("runproof.engine.statement.duration", "s", "Time of the last trivial statement."),
  processMemory: gauge("runproof.process.memory.usage", "By", "Resident memory of the service's own process."),
  eventLoopDelay: gauge("runproof.process.event_loop.delay.p99", "s", "99th percentile over the last ten seconds."),

  forwardBacklog: gauge("runproof.forward.backlog.size", "By", "Bytes that wait to be forwarded."),
  forwarded: observed("runproof.forward.records", "{record}", "Records for other backends, by what became of them."),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Labels of these metrics. The values of each are few and known, but for projects: 100, then `other`. */
export const LABEL_SIGNAL = "signal";
export const LABEL_PROTOCOL = "protocol";
export const LABEL_OUTCOME = "outcome";
export const LABEL_PROJECT = "project";
export const LABEL_TABLE = "table";
export const LABEL_STATUS = "status";
export const LABEL_REASON = "reason";

/** Spans of the service about its own work. */
export const SPAN_STORE_BATCH = "runproof.store_batch";
export const SPAN_STORE_VERDICTS = "runproof.judge_runs";
export const SPAN_WATCHDOG_SCAN = "runproof.watchdog_scan";
/** On these spans: how many records, runs or bytes the work was about. */
export const ATTR_SELF_RECORDS = "runproof.self.records";
export const ATTR_SELF_BYTES = "runproof.self.bytes";
export const ATTR_SELF_RUNS = "runproof.self.runs";
export const SERVICE_NAME_RUNPROOF = "runproof";
export const ATTR_SERVICE_VERSION = "service.version";

// --- model calls as provider APIs carry them (OpenTelemetry GenAI v1.41.1; `ATTR_REQUEST_MODEL` and others are above) ---
export const ATTR_SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions";
export const ATTR_TOOL_DEFINITIONS = "gen_ai.tool.definitions";
export const ATTR_OUTPUT_TYPE = "gen_ai.output.type";
export const ATTR_REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens";
export const ATTR_REQUEST_TEMPERATURE = "gen_ai.request.temperature";
export const ATTR_REQUEST_TOP_P = "gen_ai.request.top_p";
export const ATTR_REQUEST_TOP_K = "gen_ai.request.top_k";
export const ATTR_REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences";
export const ATTR_REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty";
export const ATTR_REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty";
export const ATTR_REQUEST_SEED = "gen_ai.request.seed";
export const ATTR_REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count";
export const ATTR_REQUEST_STREAM = "gen_ai.request.stream";
export const ATTR_RESPONSE_ID = "gen_ai.response.id";
export const ATTR_RESPONSE_MODEL = "gen_ai.response.model";
/** JSON text of a list. */
export const ATTR_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons";
/** Seconds. */
export const ATTR_RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk";
/** With what was read from and written to a cache. */
export const ATTR_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens";
export const ATTR_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens";
export const ATTR_USAGE_CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens";
export const ATTR_USAGE_CACHE_CREATION_TOKENS = "gen_ai.usage.cache_creation.input_tokens";
export const ATTR_USAGE_REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens";
export const ATTR_EMBEDDINGS_DIMENSIONS = "gen_ai.embeddings.dimension.count";
/** `chat_completions` or `responses`. */
export const ATTR_OPENAI_API_TYPE = "openai.api.type";
export const OPERATION_EMBEDDINGS = "embeddings";

// --- tries that client libraries make without a word ---
/** On the root span and the close record: calls of the run that came through after tries that failed. */
export const ATTR_SILENT_RETRIES = "runproof.run.silent_retries";
/** Name of the recorded event, one for each such call. */
export const EVENT_SILENT_RETRY = "silent_retry";

// --- Model Context Protocol (OpenTelemetry GenAI v1.41.1) ---
export const ATTR_MCP_METHOD_NAME = "mcp.method.name";
export const ATTR_MCP_SESSION_ID = "mcp.session.id";
export const ATTR_MCP_RESOURCE_URI = "mcp.resource.uri";
export const ATTR_JSONRPC_REQUEST_ID = "jsonrpc.request.id";
export const ATTR_PROMPT_NAME = "gen_ai.prompt.name";
/** `pipe` for a server that is a child process, `tcp` for one behind HTTP. */
export const ATTR_NETWORK_TRANSPORT = "network.transport";
/** Error class of a tool's answer that says of itself that it failed. */
export const ERROR_TOOL = "tool_error";

// --- canaries: OTLP log events from whoever replays fixtures on a schedule; the service stores them and the monitor reads them ---
/** Before and after the fixtures of a tier, or of a shard of it, are replayed. */
export const EVENT_CANARY_ROUND = "runproof.canary.round";
/** One fixture of a round. */
export const EVENT_CANARY_RESULT = "runproof.canary.result";
/** `critical`, `broad`, `full`, or a name of the configuration. */
export const ATTR_CANARY_TIER = "runproof.canary.tier";
/** The same for all shards of a round: tier and slot. */
export const ATTR_CANARY_ROUND_ID = "runproof.canary.round_id";
/** When the round was due: milliseconds since the epoch, an integer. */
export const ATTR_CANARY_SLOT = "runproof.canary.slot";
/** Seconds between rounds of the tier. */
export const ATTR_CANARY_INTERVAL_SECONDS = "runproof.canary.interval_seconds";
/** `2/4`; `1/1` for a round in one piece. */
export const ATTR_CANARY_SHARD = "runproof.canary.shard";
/** `started`, then `ended`; or `interrupted`, when not every fixture has a result. */
export const ATTR_CANARY_PHASE = "runproof.canary.phase";
/** JSON text: ids of all fixtures of the tier, of this shard and of others. What is listed and has no result is unknown. */
export const ATTR_CANARY_FIXTURES = "runproof.canary.fixtures";
/** Slots since the tier's last round that went by without one: nobody was there, or a round took too long. */
export const ATTR_CANARY_MISSED_SLOTS = "runproof.canary.missed_slots";
/** `passing`, `failing`, `stale` or `unknown`; only the first is green. */
export const ATTR_CANARY_OUTCOME = "runproof.canary.outcome";
/** Life-cycle state as recomputed before the replay: candidate, certified, flaky, stale, retired; or `unreadable`. */
export const ATTR_CANARY_FIXTURE_STATE = "runproof.canary.fixture_state";
/** Failure class that the fixture protects against. */
export const ATTR_CANARY_PROTECTS = "runproof.canary.protects";
/** Why, in a sentence. */
export const ATTR_CANARY_EXPLANATION = "runproof.canary.explanation";
export const ATTR_CANARY_DURATION_MS = "runproof.canary.duration_ms";
/** OpenTelemetry's: records with the same id are one record, sent twice. On the events of canaries. */
export const ATTR_LOG_RECORD_UID = "log.record.uid";

// --- the monitor, alerts and the gate ---
/** Log event, once per alert and once when it is resolved. */
export const EVENT_ALERT = "runproof.alert";
/** The same for the same class and revision, whoever says it: receivers can tell a repetition. */
export const ATTR_ALERT_ID = "runproof.alert.id";
/** `firing` or `resolved`. */
export const ATTR_ALERT_STATE = "runproof.alert.state";
export const ATTR_ALERT_FIRST_BAD_RUN = "runproof.alert.first_bad_run_id";
/** Milliseconds since the epoch: the first production run of the class and revision that was bad. */
export const ATTR_ALERT_FIRST_BAD_AT = "runproof.alert.first_bad_at";
export const ATTR_ALERT_SILENT_MINUTES = "runproof.alert.silent_failure_window_minutes";
/** Log event, each time somebody opens the gate by hand or takes that back. */
export const EVENT_GATE_OVERRIDE = "runproof.gate.override";
export const ATTR_GATE_OVERRIDE_ID = "runproof.gate.override.id";
/** `granted` or `revoked`. */
export const ATTR_GATE_OVERRIDE_STATE = "runproof.gate.override.state";
export const ATTR_GATE_OVERRIDE_BY = "runproof.gate.override.by";
export const ATTR_GATE_OVERRIDE_REASON = "runproof.gate.override.reason";
/** JSON text: the codes of reasons that it covers. */
export const ATTR_GATE_OVERRIDE_CODES = "runproof.gate.override.codes";
/** Milliseconds since the epoch. */
export const ATTR_GATE_OVERRIDE_EXPIRES = "runproof.gate.override.expires_at";

// --- project scope ---
/** Log event with exactly the fields of the specification, D4; they are attributes of these names. */
export const EVENT_SCOPE_DRIFT = "scope_drift_detected";
/** On a run's root span and on the span that was active: the scope that was resolved and authorised, the last one. */
export const ATTR_SCOPE = "runproof.scope";
/** `SYNCED` or `DRIFTED`, as it was then. */
export const ATTR_SCOPE_STATE = "runproof.scope.state";

/** Figures of the monitor. They are read from the store every few seconds; when they cannot be, they are absent. */
export const MONITOR_METRICS = {
  fixturesPassing: gauge(
    "runproof.fixtures.passing",
    "{fixture}",
    "Fixtures whose newest canary passed in time, by tier.",
  ),
  fixturesFailing: gauge("runproof.fixtures.failing", "{fixture}", "Fixtures whose newest canary failed, by tier."),
  fixturesStale: gauge(
    "runproof.fixtures.stale",
    "{fixture}",
    "Fixtures that prove nothing now, by tier: stale, or no canary in time.",
  ),
  fixturesUnknown: gauge(
    "runproof.fixtures.unknown",
    "{fixture}",
    "Fixtures whose newest canary proved nothing either way, by tier.",
  ),
  canaryAge: gauge("runproof.canary.age", "s", "Time since the newest complete round ended, by tier."),
  canaryInterval: gauge("runproof.canary.interval", "s", "Time between rounds as configured, by tier."),
  silentWindow: gauge(
    "runproof.silent_failure.window",
    "min",
    "From the first bad run of a failure class and revision to the alert that made it visible, by agent and failure class; the newest alert.",
  ),
  alertsOpen: gauge("runproof.alerts.open", "{alert}", "Alerts that fire, by agent, failure class and code version."),
  outboxPending: gauge(
    "runproof.alerts.outbox.pending",
    "{delivery}",
    "Deliveries of alerts that have not been made yet.",
  ),
  runsRecent: gauge("runproof.runs.recent", "{run}", "Production runs of the last hour, by status."),
  runsAbandoned: gauge("runproof.runs.abandoned", "{run}", "Of these, those that were abandoned."),
  monitorAge: gauge("runproof.monitor.age", "s", "Time since the monitor last read all its figures."),
  gateOpen: gauge("runproof.gate.open", "", "1 while the gate is open, else 0."),
  gateReasons: gauge("runproof.gate.reasons", "{reason}", "Reasons why the gate is closed, by code."),
  gateOverrides: gauge("runproof.gate.overrides", "{override}", "Overrides of the gate in force."),
  scopeState: gauge("runproof.scope.synced", "", "1 while runproof's own project scope is SYNCED, else 0."),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export const LABEL_TIER = "tier";
export const LABEL_AGENT = "agent";
export const LABEL_FAILURE_CLASS = "failure_class";
export const LABEL_CODE_VERSION = "code_version";
export const LABEL_CODE = "code";
