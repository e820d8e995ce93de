import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeLogsJson, decodeLogsProtobuf, decodeTracesJson, decodeTracesProtobuf } from "../otlp/index.ts";
import { logsArbitrary, tracesArbitrary } from "../otlp/testing/arbitraries.ts";
import { encodeLogsJson, encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { countRecords } from "./count-records.ts";
import { jsonBodyToProtobuf } from "./json-to-protobuf.ts";
import { contentsOf, wireFields } from "./wire-fields.ts";

/** Shrinking a failure must not take the day. */
const RUNS = { numRuns: 200, interruptAfterTimeLimit: 15_000 };

const json = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));

/** What a field at the end of a path of field numbers holds, as it lies on the wire. */
function at(body: Uint8Array, ...path: readonly number[]): string[] {
  const last = path.at(-1)!;
  let messages: Uint8Array[] = [body];
  for (const number of path.slice(0, -1))
    messages = messages.flatMap((message) => contentsOf(wireFields(message), number));
  const fields = messages.flatMap((message) => wireFields(message).filter(({ number }) => number === last));
  return fields.map(({ whole }) => Buffer.from(whole).toString("hex"));
}

describe("an OTLP/JSON body", () => {
  it("says the same as protobuf", () => {
    fc.assert(
      fc.property(tracesArbitrary.map(encodeTracesJson), (body) => {
        const model = decodeTracesJson(body);
        const protobuf = jsonBodyToProtobuf(body, "traces");
        expect(decodeTracesProtobuf(protobuf)).toEqual(model);
        const spans = model.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
        expect(countRecords(protobuf)).toBe(spans.length);
      }),
      RUNS,
    );
    fc.assert(
      fc.property(logsArbitrary.map(encodeLogsJson), (body) => {
        expect(decodeLogsProtobuf(jsonBodyToProtobuf(body, "logs"))).toEqual(decodeLogsJson(body));
      }),
      RUNS,
    );
  });

  it("keeps what our own rows do not: flags and the counts of what was dropped", () => {
    const link = { traceId: "", droppedAttributesCount: 6, flags: 7 };
    const span = {
      droppedAttributesCount: "1",
      droppedEventsCount: 2,
      droppedLinksCount: 3,
      flags: 257,
      events: [{ droppedAttributesCount: 5 }],
      links: [link],
    };
    const resource = { droppedAttributesCount: 4 };
    const body = jsonBodyToProtobuf(json({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }), "traces");
    expect(at(body, 1, 2, 2, 10)).toEqual(["5001"]);
    expect(at(body, 1, 2, 2, 12)).toEqual(["6002"]);
    expect(at(body, 1, 2, 2, 14)).toEqual(["7003"]);
    expect(at(body, 1, 2, 2, 16)).toEqual(["850101010000"]);
    expect(at(body, 1, 1, 2)).toEqual(["1004"]);
    expect(at(body, 1, 2, 2, 11, 4)).toEqual(["2005"]);
    expect(at(body, 1, 2, 2, 13, 5)).toEqual(["2806"]);
    expect(at(body, 1, 2, 2, 13, 6)).toEqual(["3507000000"]);
  });

  it("does not stop at a count that is none, which no receiver has looked at", () => {
    const spans = [{ name: "a", droppedEventsCount: "many", flags: -1 }];
    const body = jsonBodyToProtobuf(json({ resourceSpans: [{ scopeSpans: [{ spans }] }] }), "traces");
    expect(decodeTracesProtobuf(body).resourceSpans[0]?.scopeSpans[0]?.spans[0]?.name).toBe("a");
  });
});
