import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeLogsProtobuf, decodeTracesProtobuf, logRowsFrom, spanRowsFrom } from "../otlp/index.ts";
import type { KeyValue } from "../otlp/model.ts";
import { logsArbitrary, tracesArbitrary } from "../otlp/testing/arbitraries.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, span, traces } from "../otlp/testing/model-builders.ts";
import { stampProject } from "../receivers/stamp-project.ts";
import { lengthField, textField, varintField } from "../otlp/protobuf-writer.ts";
import { stampProjectBytes } from "./stamp-project-bytes.ts";

/** Shrinking a failure must not take the day. */
const RUNS = { numRuns: 200, interruptAfterTimeLimit: 15_000 };

/** Claims at the places where a sender may put them. */
const claims = fc.subarray(["shop", "bank", "", "größe"], { maxLength: 2 });

function claim(attributes: KeyValue[], values: readonly string[]): void {
  for (const value of values) attributes.push(attribute("runproof.project", value));
}

describe("a stamped body", () => {
  it("is stored as the plain one is when the store stamps it: spans", () => {
    fc.assert(
      fc.property(tracesArbitrary, claims, claims, (model, onResource, onSpan) => {
        for (const group of model.resourceSpans) {
          claim(group.resource.attributes, onResource);
          for (const each of group.scopeSpans.flatMap(({ spans }) => spans)) claim(each.attributes, onSpan);
        }
        const body = encodeTracesProtobuf(model);
        const expected = spanRowsFrom(decodeTracesProtobuf(body)).rows;
        stampProject(expected, "shop");
        const stamped = stampProjectBytes(body, "traces", "shop");
        expect(spanRowsFrom(decodeTracesProtobuf(stamped)).rows).toEqual(expected);
      }),
      RUNS,
    );
  });

  it("is stored as the plain one is when the store stamps it: logs", () => {
    fc.assert(
      fc.property(logsArbitrary, claims, claims, (model, onResource, onRecord) => {
        for (const group of model.resourceLogs) {
          claim(group.resource.attributes, onResource);
          for (const each of group.scopeLogs.flatMap(({ logRecords }) => logRecords)) claim(each.attributes, onRecord);
        }
        const body = encodeLogsProtobuf(model);
        const expected = logRowsFrom(decodeLogsProtobuf(body)).rows;
        stampProject(expected, "shop");
        const stamped = stampProjectBytes(body, "logs", "shop");
        expect(logRowsFrom(decodeLogsProtobuf(stamped)).rows).toEqual(expected);
      }),
      RUNS,
    );
  });

  it("keeps every other byte, also of fields that nobody here knows", () => {
    const body = encodeTracesProtobuf(traces([span()], [attribute("service.name", "agent")]));
    const unknown = lengthField(1, lengthField(2, lengthField(2, textField(5, "s"), varintField(999, 7))));
    const stamped = Buffer.from(stampProjectBytes(Buffer.concat([body, unknown]), "traces", "bank"));
    expect(stamped.includes(lengthField(2, lengthField(2, textField(5, "s"), varintField(999, 7))))).toBe(true);
    const decoded = decodeTracesProtobuf(stamped);
    expect(decoded.resourceSpans.map(({ resource }) => resource.attributes)).toEqual([
      [attribute("service.name", "agent"), attribute("runproof.project", "bank")],
      [attribute("runproof.project", "bank")],
    ]);
  });
});
