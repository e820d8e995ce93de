import { describe, expect, test } from "vitest";
import { STEP_MARKS } from "../evidence/dialect/index.ts";
import { readSentBodies, storedBodyFiles } from "../evidence/dialect/testing/capture/stored-bodies.ts";
import { decodeTracesJson, decodeTracesProtobuf, spanRowsFrom } from "../otlp/index.ts";
import { encodeTracesProtobuf as encodeTraces } from "../otlp/testing/encode-protobuf.ts";
import { createSpanBlock, touchedRunFrom } from "./index.ts";

const jsonOf = (file: string): Buffer =>
  Buffer.from(JSON.stringify(readSentBodies(file).find(({ path }) => path === "/v1/traces")?.body));

/** One span with these attributes, as a body. */
const bodyWith = (attributes: Readonly<Record<string, string>>, parentSpanId = ""): Uint8Array => {
  const span = {
    traceId: "ab".repeat(16),
    spanId: "cd".repeat(8),
    parentSpanId,
    name: "span",
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  };
  return encodeTraces(
    decodeTracesJson(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }))),
  );
};

describe("a step of another instrumentation on its way into a block", () => {
  test.each(storedBodyFiles())("touches its trace as its row does: %s", (file) => {
    const body = encodeTraces(decodeTracesJson(jsonOf(file)));
    const expected = spanRowsFrom(decodeTracesProtobuf(body))
      .rows.map(touchedRunFrom)
      .filter((run) => run !== undefined);
    expect(expected.length).toBeGreaterThan(1);
    const block = createSpanBlock();
    expect(block.append(body, { project: "" }).touched).toEqual(expected);
    block.reset();
    expect(block.append(body, { project: "" }).touched).toEqual(expected);
  });

  test.each(STEP_MARKS)("is known by %s, and is a root without a parent", (name) => {
    const block = createSpanBlock();
    const traceId = "ab".repeat(16);
    const root = block.append(bodyWith({ "http.route": "/", [name]: "x" }), { project: "" });
    expect(root.touched).toEqual([{ runId: `trace-${traceId}`, traceId, event: "run" }]);
    const inner = block.append(bodyWith({ [name]: "x" }, "ef".repeat(8)), { project: "" });
    expect(inner.touched).toEqual([{ runId: `trace-${traceId}`, traceId, event: "" }]);
  });

  test("belongs to the run it names, if it names one; a span of something else to none", () => {
    const block = createSpanBlock();
    const named = block.append(bodyWith({ "gen_ai.operation.name": "chat", "runproof.run.id": "r" }), { project: "" });
    expect(named.touched).toMatchObject([{ runId: "r" }]);
    expect(block.append(bodyWith({ "http.route": "/" }), { project: "" }).touched).toEqual([]);
  });
});
