import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TracesData } from "../otlp/model.ts";
import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { tracesArbitrary } from "../otlp/testing/arbitraries.ts";
import { encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, span, traces } from "../otlp/testing/model-builders.ts";
import { stampProject } from "../receivers/stamp-project.ts";
import { createSpanBlock } from "./span-block.ts";
import { SpanColumns } from "./span-columns.ts";
import { SpanWriter } from "./span-writer.ts";
import { readNativeBlock } from "./testing/read-native-block.ts";
import { createTracesWalk } from "./walk-traces.ts";
import { WireCursor } from "./wire-cursor.ts";

const PROJECTS = ["shop", "bank", ""];
const project = fc.constantFrom(...PROJECTS);

/** Claims of every kind: right, wrong, empty, no text, twice, beside an older claim. */
const claim = fc.record(
  {
    key: fc.constantFrom("runproof.project", "runproof.project", "runproof.project.claimed", "other"),
    value: fc.oneof(
      fc
        .constantFrom("shop", "bank", "", "日本", "x".repeat(200))
        .map((value) => ({ type: "stringValue" as const, value })),
      fc.constant({ type: "intValue" as const, value: 7n }),
      fc.constant({ type: "empty" as const }),
    ),
  },
  { noNullPrototype: true },
);
const claims = fc.array(claim, { maxLength: 3 });

/** Random bodies with claims put among the attributes of resources and spans. */
const bodies: fc.Arbitrary<TracesData> = fc
  .tuple(tracesArbitrary, fc.array(claims, { minLength: 1, maxLength: 6 }))
  .map(([data, lists]) => {
    let at = 0;
    const next = () => lists[at++ % lists.length]!;
    for (const group of data.resourceSpans) {
      group.resource.attributes.push(...next());
      for (const { spans } of group.scopeSpans) for (const one of spans) one.attributes.unshift(...next());
    }
    return data;
  });

/** What the rows, stamped, make of the same block. */
function oracle(parts: readonly { body: Uint8Array; project: string }[]): unknown {
  const block = createSpanBlock();
  for (const part of parts) {
    const { rows } = spanRowsFrom(decodeTracesProtobuf(part.body));
    if (part.project !== "") stampProject(rows, part.project);
    for (const row of rows) block.appendRow(row);
  }
  return readNativeBlock(block.finish());
}

describe("a span block that is told the credential's project", () => {
  it("holds what stamped rows hold, whatever the data claims", () => {
    const block = createSpanBlock();
    const parts = fc.array(fc.record({ body: bodies.map(encodeTracesProtobuf), project }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(parts, (some) => {
        block.reset();
        for (const part of some) block.append(part.body, { project: part.project });
        expect(readNativeBlock(block.finish())).toEqual(oracle(some));
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps what a span and its resource claimed, and stamps what claims nothing", () => {
    const body = encodeTracesProtobuf(
      traces(
        [span({ attributes: [attribute("runproof.project", "bank"), attribute("k", "v")] }), span()],
        [attribute("service.name", "s")],
      ),
    );
    const block = createSpanBlock();
    block.append(body, { project: "shop" });
    const [first, second] = readNativeBlock(block.finish());
    expect(first).toMatchObject({
      ResourceAttributes: [
        ["service.name", "s"],
        ["runproof.project", "shop"],
      ],
      SpanAttributes: [
        ["runproof.project", "shop"],
        ["k", "v"],
        ["runproof.project.claimed", "bank"],
      ],
    });
    expect(second).toMatchObject({ SpanAttributes: [] });
  });

  it("does so on the fast path", () => {
    const columns = new SpanColumns();
    const writer = new SpanWriter(columns);
    writer.project = "shop";
    const body = encodeTracesProtobuf(
      traces([
        span({ attributes: [attribute("runproof.project", "bank")] }),
        span({ attributes: [attribute("a", "b")] }),
      ]),
    );
    let spans = 0;
    // What leaves the fast path throws here.
    createTracesWalk()(new WireCursor(body), {
      resource: () => {},
      span(cursor, end) {
        writer.write(cursor, end);
        spans++;
      },
    });
    expect(spans).toBe(2);
  });

  it("forgets the project with the next body", () => {
    const body = encodeTracesProtobuf(traces([span()], [attribute("runproof.project", "own")]));
    const block = createSpanBlock();
    block.append(body, { project: "shop" });
    block.append(body);
    block.append(body, { project: "bank" });
    const own = readNativeBlock(block.finish()).map((row) => row["ResourceAttributes"]);
    expect(own).toEqual([
      [
        ["runproof.project", "shop"],
        ["runproof.project.claimed", "own"],
      ],
      [["runproof.project", "own"]],
      [
        ["runproof.project", "bank"],
        ["runproof.project.claimed", "own"],
      ],
    ]);
  });
});
