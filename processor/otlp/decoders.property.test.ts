import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OtlpDecodeError } from "./decode-error.ts";
import { decodeLogsJson } from "./json-logs.ts";
import { decodeTracesJson } from "./json-traces.ts";
import { logRowsFrom } from "./log-rows.ts";
import { decodeLogsProtobuf } from "./protobuf-logs.ts";
import { decodeTracesProtobuf } from "./protobuf-traces.ts";
import { rejectedCount } from "./row-batch.ts";
import { spanRowsFrom } from "./span-rows.ts";
import { logsArbitrary, tracesArbitrary } from "./testing/arbitraries.ts";
import { encodeLogsJson, encodeTracesJson } from "./testing/encode-json.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "./testing/encode-protobuf.ts";

const RUNS = { numRuns: 400 };

const pipelines = {
  "protobuf traces": (bytes: Uint8Array) => spanRowsFrom(decodeTracesProtobuf(bytes)).rows,
  "protobuf logs": (bytes: Uint8Array) => logRowsFrom(decodeLogsProtobuf(bytes)).rows,
  "JSON traces": (bytes: Uint8Array) => spanRowsFrom(decodeTracesJson(bytes)).rows,
  "JSON logs": (bytes: Uint8Array) => logRowsFrom(decodeLogsJson(bytes)).rows,
};

const encoded = {
  "protobuf traces": tracesArbitrary.map(encodeTracesProtobuf),
  "protobuf logs": logsArbitrary.map(encodeLogsProtobuf),
  "JSON traces": tracesArbitrary.map(encodeTracesJson),
  "JSON logs": logsArbitrary.map(encodeLogsJson),
};

/** Runs a pipeline to its serialised rows; only the typed error may come out. */
function survives(run: (bytes: Uint8Array) => readonly unknown[], bytes: Uint8Array): void {
  try {
    JSON.stringify(run(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(OtlpDecodeError);
  }
}

interface Mutation {
  readonly at: number;
  readonly kind: "flip" | "cut" | "insert" | "remove";
  readonly byte: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  kind: fc.constantFrom("flip", "cut", "insert", "remove"),
  byte: fc.integer({ min: 0, max: 255 }),
});

function mutate(bytes: Uint8Array, { at, kind, byte }: Mutation): Uint8Array {
  const index = Math.floor(at * bytes.length);
  const head = bytes.subarray(0, index);
  const tail = bytes.subarray(index);
  if (kind === "cut") return head;
  if (kind === "insert") return Buffer.concat([head, Uint8Array.of(byte), tail]);
  if (kind === "remove") return Buffer.concat([head, tail.subarray(1)]);
  return Buffer.concat([head, Uint8Array.of((tail[0] ?? 0) ^ byte), tail.subarray(1)]);
}

describe("the two encodings of one model", () => {
  it("decode to the traces that were encoded", () => {
    fc.assert(
      fc.property(tracesArbitrary, (traces) => {
        expect(decodeTracesProtobuf(encodeTracesProtobuf(traces))).toEqual(traces);
        expect(decodeTracesJson(encodeTracesJson(traces))).toEqual(traces);
      }),
      RUNS,
    );
  });

  it("decode to the logs that were encoded", () => {
    fc.assert(
      fc.property(logsArbitrary, (logs) => {
        expect(decodeLogsProtobuf(encodeLogsProtobuf(logs))).toEqual(logs);
        expect(decodeLogsJson(encodeLogsJson(logs))).toEqual(logs);
      }),
      RUNS,
    );
  });

  it("account for every span, as a row or as a rejection", () => {
    fc.assert(
      fc.property(tracesArbitrary, (traces) => {
        const spans = traces.resourceSpans.flatMap((group) => group.scopeSpans.flatMap((scope) => scope.spans));
        const batch = spanRowsFrom(traces);
        expect(batch.rows.length + rejectedCount(batch)).toBe(spans.length);
      }),
      RUNS,
    );
  });
});

for (const name of Object.keys(pipelines) as (keyof typeof pipelines)[]) {
  describe(`the ${name} decoder`, () => {
    const run = pipelines[name];

    it("answers random bytes with rows or the typed error", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(run, bytes)),
        { numRuns: 3_000 },
      );
    });

    it("answers mutated valid bodies with rows or the typed error", () => {
      const mutated = fc.tuple(encoded[name], fc.array(mutation, { minLength: 1, maxLength: 4 }));
      fc.assert(
        fc.property(mutated, ([bytes, mutations]) => survives(run, mutations.reduce(mutate, bytes))),
        { numRuns: 1_500 },
      );
    });
  });
}

describe("the JSON decoders", () => {
  it("answer any JSON value with rows or the typed error", () => {
    const shaped = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fc.jsonValue(),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom("resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "values", "arrayValue"),
          tie("node"),
        ),
      ),
    })).node;
    fc.assert(
      fc.property(shaped, (document) => {
        const bytes = Buffer.from(JSON.stringify(document));
        survives(pipelines["JSON traces"], bytes);
        survives(pipelines["JSON logs"], bytes);
      }),
      { numRuns: 500 },
    );
  });
});
