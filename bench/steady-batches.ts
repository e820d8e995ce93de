import { defineContract } from "../instrumentation/contract/contract.ts";
import * as semconv from "../instrumentation/semconv.ts";
import { SPAN_KINDS, type AttributeMap, type SpanRow } from "../processor/clickhouse/rows.ts";
import { spanRow } from "../processor/clickhouse/testing/row-samples.ts";
import type { AnyValue, KeyValue, Span } from "../processor/otlp/model.ts";
import { encodeTracesProtobuf } from "../processor/otlp/testing/encode-protobuf.ts";
import { callSpan, rootSpan, startSpan, testRun } from "../processor/testing/run-spans.ts";

/**
 * Batches of 100 spans with 20 attributes that follow from their number, so that sender and checker agree on every field.
 * Half of them are whole runs, from start to root, whose verdict can be waited for.
 */
export interface SteadyBatches {
  body(batch: number): Buffer;
  /** What has to be stored of it. */
  rows(batch: number): SpanRow[];
  /** Ids of the runs that end with the batch. */
  runIds(batch: number): string[];
}

export interface SteadyBatchesOptions {
  /** Part of every trace id, so that senders do not repeat each other. */
  readonly seed: number;
  readonly startedAtMillis: number;
  /** `false`: no batch holds runs. */
  readonly runs: boolean;
}

export const BATCH_SPANS = 100;
export const LOAD_SERVICE = "load";
export const LOAD_AGENT = "steady-agent";
const RUNS_PER_BATCH = 2;
const ATTRIBUTES = 20;

/** The bytes that stand for the ids of a batch in its template; the last one tells the runs apart. */
const markOf = (run: number): Buffer => Buffer.concat([Buffer.alloc(15, 0xab), Buffer.of(run)]);

export function createSteadyBatches(options: SteadyBatchesOptions): SteadyBatches {
  const plain = createTemplate(plainRows(options.startedAtMillis));
  const runs = createTemplate(
    Array.from({ length: RUNS_PER_BATCH }, (_, run) => runRows(run, options.startedAtMillis)).flat(),
  );
  const hasRuns = (batch: number): boolean => options.runs && batch % 4 >= 2;
  const template = (batch: number): Template => (hasRuns(batch) ? runs : plain);
  const traceId = (batch: number, run: number): Buffer => {
    const id = Buffer.alloc(16);
    id.writeUInt32BE(options.seed, 0);
    id.writeUInt32BE(run + 1, 8);
    id.writeUInt32BE(batch + 1, 12);
    return id;
  };
  return {
    body: (batch) => template(batch).body((run) => traceId(batch, run)),
    rows: (batch) => template(batch).rows((run) => traceId(batch, run)),
    runIds: (batch) =>
      hasRuns(batch)
        ? Array.from({ length: RUNS_PER_BATCH }, (_, run) => runIdOf(traceId(batch, run).toString("hex")))
        : [],
  };
}

const runIdOf = (traceId: string): string => `run-${traceId}`;

interface Template {
  body(traceId: (run: number) => Buffer): Buffer;
  rows(traceId: (run: number) => Buffer): SpanRow[];
}

/** One request of which only the ids change, so that making it costs the machine next to nothing. */
function createTemplate(rows: readonly SpanRow[]): Template {
  const bytes = Buffer.from(encodeRows(rows));
  const text = JSON.stringify(rows);
  const marks = Array.from({ length: RUNS_PER_BATCH }, (_, run) => ({
    run,
    binary: placesOf(bytes, markOf(run)),
    hex: placesOf(bytes, Buffer.from(markOf(run).toString("hex"))),
  }));
  return {
    body(traceId) {
      const copy = Buffer.from(bytes);
      for (const { run, binary, hex } of marks) {
        const id = traceId(run);
        for (const at of binary) id.copy(copy, at);
        for (const at of hex) copy.write(id.toString("hex"), at, "latin1");
      }
      return copy;
    },
    rows: (traceId) =>
      JSON.parse(
        marks.reduce((all, { run }) => all.replaceAll(markOf(run).toString("hex"), traceId(run).toString("hex")), text),
      ) as SpanRow[],
  };
}

function placesOf(bytes: Buffer, mark: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length)) places.push(at);
  return places;
}

const spanIdOf = (index: number): string => (index + 1).toString(16).padStart(16, "0");
const nanos = (millis: number, index: number): string => String(BigInt(millis) * 1_000_000n + BigInt(index));

const ofLoad = {
  ServiceName: LOAD_SERVICE,
  ResourceAttributes: { "service.name": LOAD_SERVICE, "host.name": "host-1" },
  ScopeName: "load",
  ScopeVersion: "1",
  "Events.Timestamp": [],
  "Events.Name": [],
  "Events.Attributes": [],
} satisfies Partial<SpanRow>;

/** Fills up to 20. */
const withFiller = (own: AttributeMap): AttributeMap => {
  const count = Math.max(0, ATTRIBUTES - Object.keys(own).length);
  const filler = Array.from({ length: count }, (_, index) =>
    index % 5 === 4
      ? [`int.${index}`, String(1_000 + index)]
      : [`app.attribute.${index}`, `value ${index} of some length`],
  );
  return { ...own, ...(Object.fromEntries(filler) as AttributeMap) };
};

const plainRows = (startedAtMillis: number): SpanRow[] =>
  Array.from({ length: BATCH_SPANS }, (_, index) =>
    spanRow({
      ...ofLoad,
      TraceId: markOf(0).toString("hex"),
      SpanId: spanIdOf(index),
      SpanName: `step ${index % 10}`,
      Timestamp: nanos(startedAtMillis, index),
      Duration: "1000000",
      SpanAttributes: withFiller({}),
      ...(index % 10 === 9 && {
        "Events.Timestamp": [nanos(startedAtMillis, index + 7)],
        "Events.Name": ["checkpoint"],
        "Events.Attributes": [{ step: String(index) }],
      }),
    }),
  );

/** A start, calls of a tool, and the root: all that a verdict needs. */
function runRows(number: number, startedAtMillis: number): SpanRow[] {
  const traceId = markOf(number).toString("hex");
  const calls = BATCH_SPANS / RUNS_PER_BATCH - 2;
  const contract = defineContract({ agent: LOAD_AGENT, sideEffects: { expected: [{ tool: "send" }] } });
  const run = testRun({
    runId: runIdOf(traceId),
    traceId,
    rootSpanId: spanIdOf(BATCH_SPANS - 1),
    contract,
    startMillis: startedAtMillis,
  });
  const search = { attributes: { [semconv.ATTR_SIDE_EFFECT]: "read" } };
  const rows = [
    startSpan(run),
    callSpan(run),
    ...Array.from({ length: calls - 1 }, () => callSpan(run, "search", search)),
    rootSpan(run, { toolCallCount: calls }),
  ];
  return rows.map((row, index) => ({
    ...row,
    ...ofLoad,
    SpanId: row.SpanId === run.rootSpanId ? row.SpanId : spanIdOf(index),
    SpanAttributes: withFiller(row.SpanAttributes),
  }));
}

function encodeRows(rows: readonly SpanRow[]): Uint8Array {
  const [first] = rows;
  const resource = { attributes: keyValues(first?.ResourceAttributes ?? {}) };
  const scope = { name: first?.ScopeName ?? "", version: first?.ScopeVersion ?? "", attributes: [] };
  return encodeTracesProtobuf({
    resourceSpans: [{ resource, schemaUrl: "", scopeSpans: [{ scope, schemaUrl: "", spans: rows.map(spanOf) }] }],
  });
}

const spanOf = (row: SpanRow): Span => ({
  traceId: row.TraceId,
  spanId: row.SpanId,
  traceState: row.TraceState,
  parentSpanId: row.ParentSpanId,
  name: row.SpanName,
  kind: SPAN_KINDS.indexOf(row.SpanKind as (typeof SPAN_KINDS)[number]),
  startTimeUnixNano: BigInt(row.Timestamp),
  endTimeUnixNano: BigInt(row.Timestamp) + BigInt(row.Duration),
  attributes: keyValues(row.SpanAttributes),
  events: row["Events.Name"].map((name, index) => ({
    name,
    timeUnixNano: BigInt(row["Events.Timestamp"][index] ?? 0),
    attributes: keyValues(row["Events.Attributes"][index] ?? {}),
  })),
  links: [],
  status: { message: row.StatusMessage, code: 0 },
});

const keyValues = (attributes: AttributeMap): KeyValue[] =>
  Object.entries(attributes).map(([key, text]) => ({ key, value: valueOf(key, text) }));

const valueOf = (key: string, text: string): AnyValue =>
  key.startsWith("int.") ? { type: "intValue", value: BigInt(text) } : { type: "stringValue", value: text };
