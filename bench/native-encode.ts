import { gunzipSync, gzipSync } from "node:zlib";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";

import { insertNative } from "../processor/clickhouse/native-insert.ts";
import { SPAN_COLUMNS } from "../processor/clickhouse/rows.ts";
import { createSpanBlock, createTracesScan } from "../processor/native/index.ts";
import { decodeTracesProtobuf, spanRowsFrom } from "../processor/otlp/index.ts";
import { agentSpanRequests, SPANS_PER_RUN } from "./agent-spans.ts";
import { type BenchEngine, fillMemoryTable, SPAN_COLUMN_LIST, withEngine } from "./bench-engine.ts";
import { measure, print, report } from "./measure.ts";

/**
 * Speed of the columnar insert path beside the row path, on the same bodies, in one process, in alternating rounds.
 * Run: `node bench/native-encode.ts [--rows 5000,20000] [--rounds 5] [--no-engine] [--directory <parent of the data>]`
 */

const { values } = parseArgs({
  allowNegative: true,
  options: {
    rows: { type: "string", default: "5000,20000" },
    rounds: { type: "string", default: "5" },
    engine: { type: "boolean", default: true },
    directory: { type: "string", default: tmpdir() },
  },
});
const rounds = Number(values.rounds);
const RUNS_PER_REQUEST = 42;
const spansPerRequest = RUNS_PER_REQUEST * SPANS_PER_RUN;

async function measureEncoding(bodies: readonly Uint8Array[]): Promise<void> {
  const zipped = bodies.map((body) => gzipSync(body));
  const scan = createTracesScan();
  const block = createSpanBlock();
  const decoded = "decode to objects" as const;
  const costs = await measure(
    {
      "scan (before the acknowledgement)": () => bodies.forEach((body) => scan(body)),
      "protobuf -> Native": () => {
        block.reset();
        for (const body of bodies) block.append(body);
        return block.finish();
      },
      [decoded]: () => bodies.forEach((body) => decodeTracesProtobuf(body)),
      "decode -> rows -> JSON": () =>
        bodies.forEach((body) => spanRowsFrom(decodeTracesProtobuf(body)).rows.map((row) => JSON.stringify(row))),
      "gunzip of the same bodies": () => zipped.forEach((body) => gunzipSync(body)),
    },
    { rounds },
  );
  const spans = bodies.length * spansPerRequest;
  report("JavaScript only, ratios to the decoder that makes objects", { spans, base: decoded, costs });
}

async function measureEngine(bodies: readonly Uint8Array[], spans: number, engine: BenchEngine): Promise<void> {
  const { store, client, target, pid } = engine;
  const block = createSpanBlock();
  for (const body of bodies) block.append(body);
  const ready = block.finish().map((piece) => Buffer.from(piece));
  await fillMemoryTable(engine, `memory_${spans}`, bodies);
  let number = 0;
  const insert = (pieces: readonly Uint8Array[]) =>
    insertNative(
      { ...target, table: "otel_traces", columns: SPAN_COLUMNS, token: `${spans}-${Date.now()}-${number++}` },
      pieces,
    );
  const ceiling = "engine: INSERT SELECT from Memory" as const;
  const usual = "decode -> rows -> client JSONEachRow" as const;
  const costs = await measure(
    {
      [ceiling]: () =>
        client.command({ query: `INSERT INTO otel_traces (${SPAN_COLUMN_LIST}) SELECT * FROM memory_${spans}` }),
      "Native, block encoded before": () => insert(ready),
      "protobuf -> Native -> insert": () => {
        block.reset();
        for (const body of bodies) block.append(body);
        return insert(block.finish());
      },
      [usual]: () => store.insertSpans(bodies.flatMap((body) => spanRowsFrom(decodeTracesProtobuf(body)).rows)),
    },
    { rounds, enginePid: pid },
  );
  report(`Into the engine, blocks of ${spans} rows, ratios to its own INSERT SELECT`, { spans, base: ceiling, costs });
  const [ours, rows] = [costs["protobuf -> Native -> insert"], costs[usual]];
  print(
    `  ours to the row path: ${(rows.cpu / ours.cpu).toFixed(1)}x per CPU, ${(rows.wall / ours.wall).toFixed(1)}x by the clock`,
  );
}

const bodiesOf = (rows: number): Uint8Array[] => [
  ...agentSpanRequests({ requests: Math.max(1, Math.round(rows / spansPerRequest)), runsPerRequest: RUNS_PER_REQUEST }),
];

const sample = bodiesOf(10_000);
const bytes = sample.reduce((sum, body) => sum + body.length, 0);
print(
  `${sample.length} bodies, ${sample.length * spansPerRequest} spans, ${Math.round(bytes / sample.length / spansPerRequest)} bytes a span`,
);
await measureEncoding(sample);
if (values.engine) {
  await withEngine(async (engine) => {
    await engine.client.command({ query: "SYSTEM STOP MERGES" });
    for (const rows of values.rows.split(",").map(Number)) {
      const bodies = bodiesOf(rows);
      await measureEngine(bodies, bodies.length * spansPerRequest, engine);
    }
  }, values.directory);
}
