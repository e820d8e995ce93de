import { randomBytes } from "node:crypto";
import { contractSha256, type RunContract } from "../../instrumentation/contract/contract.ts";
import type { ClosingEvidence } from "../../instrumentation/contract/evidence.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { AttributeMap, SpanRow } from "../clickhouse/rows.ts";
import { spanRow } from "../clickhouse/testing/row-samples.ts";
import { closing, contract } from "./evidence.ts";

/** A run whose spans a test sends; every span is stamped with it. */
export interface TestRun {
  readonly runId: string;
  readonly traceId: string;
  readonly rootSpanId: string;
  readonly contract: RunContract;
  readonly startMillis: number;
}

export const testRun = (changes: Partial<TestRun> = {}): TestRun => ({
  runId: `run-${randomBytes(4).toString("hex")}`,
  traceId: randomBytes(16).toString("hex"),
  rootSpanId: randomBytes(8).toString("hex"),
  contract: contract({ sideEffects: { expected: [{ tool: "send" }] } }),
  startMillis: Date.now() - 1_000,
  ...changes,
});

export const text = (value: unknown): string => canonicalJson(value as JsonValue);
const nanos = (millis: number): string => String(BigInt(Math.round(millis)) * 1_000_000n);

interface Stamp {
  readonly attributes?: AttributeMap;
  readonly fields?: Partial<SpanRow>;
}

function ownSpan(run: TestRun, name: string, { attributes = {}, fields = {} }: Stamp): SpanRow {
  return spanRow({
    TraceId: run.traceId,
    SpanId: randomBytes(8).toString("hex"),
    ParentSpanId: run.rootSpanId,
    SpanName: name,
    Timestamp: nanos(run.startMillis),
    Duration: "0",
    SpanAttributes: {
      [semconv.ATTR_RUN_ID]: run.runId,
      [semconv.ATTR_AGENT_NAME]: run.contract.agent,
      [semconv.ATTR_CONTRACT_SHA256]: contractSha256(run.contract),
      [semconv.ATTR_TIMEOUT_SECONDS]: String(run.contract.limits.timeoutSeconds),
      ...attributes,
    },
    ...fields,
  });
}

/** A record span on the flush-now path. */
export const recordSpan = (run: TestRun, event: string, stamp: Stamp = {}): SpanRow =>
  ownSpan(run, semconv.recordSpanName(event), {
    ...stamp,
    attributes: {
      [semconv.ATTR_RUN_EVENT]: event,
      [semconv.ATTR_ROOT_SPAN_ID]: run.rootSpanId,
      ...stamp.attributes,
    },
  });

export const startSpan = (run: TestRun, stamp: Stamp = {}): SpanRow =>
  recordSpan(run, semconv.RUN_EVENT_START, {
    ...stamp,
    attributes: { [semconv.ATTR_CONTRACT]: text(run.contract), ...stamp.attributes },
  });

export const closeSpan = (run: TestRun, evidence: Partial<ClosingEvidence> = {}): SpanRow =>
  recordSpan(run, semconv.RUN_EVENT_CLOSE, {
    attributes: { [semconv.ATTR_EVIDENCE]: text(closing(evidence)) },
    fields: { Timestamp: nanos(run.startMillis + 500) },
  });

export const rootSpan = (run: TestRun, evidence: Partial<ClosingEvidence> = {}, stamp: Stamp = {}): SpanRow =>
  ownSpan(run, `${semconv.OPERATION_INVOKE_AGENT} ${run.contract.agent}`, {
    attributes: {
      [semconv.ATTR_RUN_EVENT]: semconv.RUN_EVENT_ROOT,
      [semconv.ATTR_EVIDENCE]: text(closing(evidence)),
      ...stamp.attributes,
    },
    fields: { SpanId: run.rootSpanId, ParentSpanId: "", Duration: "400000000", ...stamp.fields },
  });

/** A successful call of a tool. */
export const callSpan = (run: TestRun, tool = "send", stamp: Stamp = {}): SpanRow =>
  ownSpan(run, `${semconv.OPERATION_EXECUTE_TOOL} ${tool}`, {
    attributes: {
      [semconv.ATTR_CALL_KIND]: "tool",
      [semconv.ATTR_TOOL_NAME]: tool,
      [semconv.ATTR_SIDE_EFFECT]: "write",
      [semconv.ATTR_TOOL_CALL_ARGUMENTS]: text({ to: "x" }),
      [semconv.ATTR_TOOL_CALL_RESULT]: text({ ok: true }),
      [semconv.ATTR_CALL_CAPTURE]: text({ arguments: { form: "full" }, result: { form: "full" } }),
      ...stamp.attributes,
    },
    fields: { Timestamp: nanos(run.startMillis + 100), Duration: "1000000", ...stamp.fields },
  });
