import type { ClickHouseClient } from "@clickhouse/client";
import { contractSha256, defineContract } from "../instrumentation/contract/contract.ts";
import type { ClosingEvidence } from "../instrumentation/contract/evidence.ts";
import { canonicalJson } from "../instrumentation/json/canonical.ts";
import type { JsonValue } from "../instrumentation/json/json.ts";
import * as semconv from "../instrumentation/semconv.ts";

/** History that is made inside the engine: runs of five spans, most of them good, some silently wrong in a known way. */
export interface HistoryOptions {
  readonly runs: number;
  readonly days: number;
  /** Runs of another agent of the same service, in the same time. */
  readonly otherRuns: number;
}

export const AGENT = "booker";
/** What the stored runs promised: little. */
const RECORDED = defineContract({ agent: AGENT, artifacts: [{ name: "receipt" }] });
/** What the back-test holds against them. */
export const STRICTER = defineContract({
  agent: AGENT,
  artifacts: [{ name: "receipt", minBytes: 100 }],
  tools: { forbidden: ["cancel_booking"] },
  sideEffects: { expected: [{ tool: "book_flight", confirmedBy: "reference" }], others: "allow" },
  answer: { required: [{ contains: "booking" }] },
});

/** Of so many runs the one with this remainder is planted. All but the last two kinds are stored as passed. */
const PLANTED = {
  /** The receipt is there, and too short to be one. */
  empty_output: 7,
  side_effect_missing: 107,
  tool_not_allowed: 207,
  required_content_missing: 307,
  /** Nobody may call these silent: it threw, and its record says so; or it never ended. */
  run_aborted: 57,
  run_abandoned: 157,
} as const;
const EVERY = 400;
export const SILENT = ["empty_output", "side_effect_missing", "tool_not_allowed", "required_content_missing"] as const;

const is = (kind: keyof typeof PLANTED): string => `n % ${EVERY} = ${PLANTED[kind]}`;

/** Run ids by the reason they must be found for. */
export function plantedRuns(runs: number): ReadonlyMap<string, string> {
  const planted = SILENT.flatMap((kind) =>
    Array.from({ length: Math.ceil((runs - PLANTED[kind]) / EVERY) }, (_, i): [string, string] => [
      `run-${String(PLANTED[kind] + i * EVERY).padStart(9, "0")}`,
      kind,
    ]),
  );
  return new Map(planted.filter(([id]) => Number(id.slice(4)) < runs));
}

const CHUNK = 50_000;

export async function fillHistory(client: ClickHouseClient, options: HistoryOptions): Promise<void> {
  const first = Date.now() - options.days * 86_400_000;
  const contract = canonicalJson(RECORDED as unknown as JsonValue);
  await client.insert({
    table: "runproof_contracts",
    values: [{ contract_sha256: contractSha256(RECORDED), project: "", contract, agent_name: AGENT, first_seen_at: 0 }],
    format: "JSONEachRow",
  });
  for (const [agent, runs] of [
    [AGENT, options.runs],
    ["other", options.otherRuns],
  ] as const) {
    const step = Math.floor((options.days * 86_400_000_000_000) / Math.max(runs, 1)) - 1;
    for (let from = 0; from < runs; from += CHUNK) {
      const chunk = { agent, from, count: Math.min(CHUNK, runs - from), firstMillis: first, step };
      for (const sql of [...spanInserts(chunk), ...recordInserts(chunk)]) await client.command({ query: sql });
      process.stderr.write(".");
    }
  }
  process.stderr.write("\n");
}

interface Chunk {
  readonly agent: string;
  readonly from: number;
  readonly count: number;
  readonly firstMillis: number;
  /** Nanoseconds between runs. */
  readonly step: number;
}

const literal = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const text = (value: unknown): string => canonicalJson(value as JsonValue);
const mapSql = (attributes: Readonly<Record<string, string>>): string =>
  `map(${Object.entries(attributes)
    .map(([key, sql]) => `${literal(key)}, ${sql}`)
    .join(", ")})`;

const RUN_ID = `concat('run-', leftPad(toString(n), 9, '0'))`;
const spanId = (place: number): string => `leftPad(lower(hex(sipHash64(n, ${place}, agent))), 16, '0')`;

const runsSql = ({ agent, from, count, firstMillis, step }: Chunk): string => `(
  SELECT number AS n, ${literal(agent)} AS agent, ${agent === AGENT ? RUN_ID : `concat('other-', toString(n))`} AS run_id,
    lower(hex(sipHash128(n, agent))) AS trace_id, ${spanId(0)} AS root_id,
    fromUnixTimestamp64Nano(toInt64(${firstMillis}000000 + toInt64(n) * ${step})) AS started
  FROM numbers(${from}, ${count}))`;

/** Long enough to be like the texts of a real run, and not the same in each. */
const PROSE = `concat('Find a flight for booking ', toString(n), repeat(concat(' and compare offer ', hex(sipHash64(n))), 6))`;

const closing = (changes: Partial<ClosingEvidence> = {}): string =>
  text({
    version: 1,
    claim: { outcome: "done", detail: "booked" },
    error: null,
    artifacts: [
      {
        name: "receipt",
        kind: "file",
        ref: "receipt.json",
        state: "present",
        bytes: 512,
        sha256: "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        schemaErrors: null,
        detail: null,
      },
    ],
    paths: [],
    changedPaths: null,
    state: null,
    verification: null,
    answer: "Your booking is confirmed: two seats, one bag, a receipt by mail.",
    toolCallCount: 2,
    stepCount: 4,
    gaps: [],
    ...changes,
  });

const EVIDENCE = `multiIf(
  ${is("empty_output")}, ${literal(closing().replace('"bytes":512', '"bytes":3'))},
  ${is("required_content_missing")}, ${literal(closing({ answer: "All done, have a nice trip." }))},
  ${is("run_aborted")}, ${literal(closing({ error: { errorClass: "TypeError", message: "x is not a function" } }))},
  ${literal(closing())})`;

interface SpanSql {
  readonly place: number;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly afterMillis: number;
  readonly durationMillis: number;
  readonly where?: string;
}

function spanInserts(chunk: Chunk): string[] {
  const ended = `NOT (${is("run_abandoned")})`;
  const record = (event: string): Record<string, string> => ({
    [semconv.ATTR_RUN_EVENT]: literal(event),
    [semconv.ATTR_ROOT_SPAN_ID]: "root_id",
  });
  const call = (tool: string, sideEffect: string): Record<string, string> => ({
    [semconv.ATTR_OPERATION_NAME]: literal(semconv.OPERATION_EXECUTE_TOOL),
    [semconv.ATTR_CALL_KIND]: "'tool'",
    [semconv.ATTR_TOOL_NAME]: tool,
    [semconv.ATTR_SIDE_EFFECT]: sideEffect,
    [semconv.ATTR_CALL_PATH]: `concat(${tool}, '#0')`,
    [semconv.ATTR_TOOL_CALL_ARGUMENTS]: `concat('{"request":"', ${PROSE}, '"}')`,
    [semconv.ATTR_TOOL_CALL_RESULT]: `concat('{"ok":true,"offers":"', repeat(hex(sipHash64(n, 9)), 20), '"}')`,
    [semconv.ATTR_CALL_CAPTURE]: literal(text({ arguments: { form: "full" }, result: { form: "full" } })),
    [semconv.ATTR_CALL_ATTEMPTS]: literal(text([{ status: "ok", error_class: null, wait_ms: 0 }])),
  });
  const second = `multiIf(${is("side_effect_missing")}, 'search', ${is("tool_not_allowed")}, 'cancel_booking', 'book_flight')`;
  const spans: SpanSql[] = [
    {
      place: 1,
      name: literal(semconv.recordSpanName(semconv.RUN_EVENT_START)),
      attributes: {
        ...record(semconv.RUN_EVENT_START),
        [semconv.ATTR_CONTRACT]: literal(text(RECORDED)),
        [semconv.ATTR_TIMEOUT_SECONDS]: "'3600'",
        [semconv.ATTR_RUN_INPUT]: `concat('{"task":"', ${PROSE}, '"}')`,
      },
      afterMillis: 0,
      durationMillis: 0,
    },
    {
      place: 2,
      name: "'execute_tool search'",
      attributes: call("'search'", "'read'"),
      afterMillis: 40,
      durationMillis: 900,
    },
    {
      place: 3,
      name: `concat('execute_tool ', ${second})`,
      attributes: {
        ...call(second, `if(${is("side_effect_missing")}, 'read', 'write')`),
        [semconv.ATTR_CALL_REFERENCE]: "concat('booking-', toString(n))",
      },
      afterMillis: 1_200,
      durationMillis: 700,
      where: ended,
    },
    {
      place: 0,
      name: "concat('invoke_agent ', agent)",
      attributes: {
        [semconv.ATTR_RUN_EVENT]: literal(semconv.RUN_EVENT_ROOT),
        [semconv.ATTR_OPERATION_NAME]: literal(semconv.OPERATION_INVOKE_AGENT),
        [semconv.ATTR_EVIDENCE]: EVIDENCE,
      },
      afterMillis: 10,
      durationMillis: 2_400,
      where: ended,
    },
    {
      place: 4,
      name: literal(semconv.recordSpanName(semconv.RUN_EVENT_CLOSE)),
      attributes: { ...record(semconv.RUN_EVENT_CLOSE), [semconv.ATTR_EVIDENCE]: EVIDENCE },
      afterMillis: 2_400,
      durationMillis: 0,
      where: ended,
    },
  ];
  return spans.map((span) => spanInsert(chunk, span));
}

function spanInsert(
  chunk: Chunk,
  { place, name, attributes, afterMillis, durationMillis, where = "1" }: SpanSql,
): string {
  const own = {
    [semconv.ATTR_RUN_ID]: "run_id",
    [semconv.ATTR_AGENT_NAME]: "agent",
    [semconv.ATTR_CONTRACT_SHA256]: literal(contractSha256(RECORDED)),
    ...attributes,
  };
  const resource = { "service.name": "'bookings'", "service.instance.id": "concat('pod-', toString(n % 7))" };
  return `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName,
      ResourceAttributes, ScopeName, SpanAttributes, Duration, StatusCode)
    SELECT addMilliseconds(started, ${afterMillis}), trace_id, ${spanId(place)}, ${place === 0 ? "''" : "root_id"}, ${name},
      'Internal', 'bookings', ${mapSql(resource)}, 'runproof', ${mapSql(own)}, ${durationMillis}000000, 'Unset'
    FROM ${runsSql(chunk)} WHERE ${where}`;
}

/** Each run was started before it had a verdict. */
function recordInserts(chunk: Chunk): string[] {
  const status = `multiIf(${is("run_aborted")} OR ${is("run_abandoned")}, 'failed', 'passed')`;
  const failureClass = `multiIf(${is("run_aborted")}, 'run_aborted', ${is("run_abandoned")}, 'run_abandoned', '')`;
  const facts = `if(${is("run_abandoned")}, 2, 5)`;
  const closed = `if(${is("run_abandoned")}, NULL, addMilliseconds(started, 2410))`;
  const insert = (values: { status: string; failure: string; closed: string; facts: string; rank: string }): string => `
    INSERT INTO runproof_run_history (run_id, agent_name, run_type, started_at, timeout_seconds, status, failure_class,
      closed_at, trace_id, root_span_id, service_name, contract_sha256, reasons, proofs, received_at, deadline_at,
      evidence_rank, fact_count, version, judged_at, attempt)
    SELECT run_id, agent, 'live', started, 3600, ${values.status}, ${values.failure}, ${values.closed}, trace_id, root_id,
      'bookings', ${literal(contractSha256(RECORDED))}, '[]', '[]', started, addSeconds(started, 3600),
      ${values.rank}, ${values.facts}, ${values.rank} * 4294967296 + ${values.facts}, addSeconds(started, 3), 1
    FROM ${runsSql(chunk)}`;
  return [
    insert({ status: "'started'", failure: "''", closed: "NULL", facts: "1", rank: "0" }),
    insert({ status, failure: failureClass, closed, facts, rank: `if(${is("run_abandoned")}, 1, 4)` }),
  ];
}
