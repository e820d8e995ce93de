import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mutate, mutation } from "../native/testing/mutate.ts";
import { OtlpDecodeError } from "./decode-error.ts";
import { decodeTracesJson } from "./json-traces.ts";
import { MAX_ATTRIBUTE_KEY_LENGTH, MAX_ATTRIBUTES } from "./limits.ts";
import type { KeyValue } from "./model.ts";
import { decodeTracesProtobuf } from "./protobuf-traces.ts";
import { spanRowsFrom } from "./span-rows.ts";
import { tracesArbitrary } from "./testing/arbitraries.ts";
import { encodeTracesJson } from "./testing/encode-json.ts";
import { encodeTracesProtobuf } from "./testing/encode-protobuf.ts";
import { attribute, nestedValue, span, traces } from "./testing/model-builders.ts";
import { bytesField, concat, messageField, textField } from "./testing/protobuf-writer.ts";

/** Attributes that will be dropped are checked like all others, and nothing is made of them. */

const filler = concat(...Array.from({ length: MAX_ATTRIBUTES }, (_, at) => messageField(9, textField(1, `k${at}`))));
const ids = [bytesField(1, Buffer.alloc(16, 1)), bytesField(2, Buffer.alloc(8, 1))];

/** A span with this attribute last, after `before`. */
const spanWith = (keyValue: Uint8Array, before: Uint8Array): Uint8Array =>
  messageField(1, messageField(2, messageField(2, ...ids, before, bytesField(9, keyValue))));

function fault(body: Uint8Array): string {
  try {
    decodeTracesProtobuf(body);
    return "none";
  } catch (error) {
    if (!(error instanceof OtlpDecodeError)) throw error;
    return `${error.code}: ${error.message.replace(/ \(at byte \d+\)$/, "")}`;
  }
}

describe("an attribute over the limit", () => {
  it("is refused for what an attribute within the limit is refused for", () => {
    const values = tracesArbitrary.map((data) =>
      data.resourceSpans.flatMap(({ resource }) => resource.attributes).slice(0, 1),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .tuple(values, fc.array(mutation, { maxLength: 3 }))
        .map(([[one], mutations]) =>
          mutations.reduce(mutate, one === undefined ? Buffer.alloc(0) : attributeBytes(one)),
        ),
    );
    fc.assert(
      fc.property(bytes, (keyValue) => {
        expect(fault(spanWith(keyValue, filler))).toBe(fault(spanWith(keyValue, Buffer.alloc(0))));
      }),
      { numRuns: 2_000 },
    );
    const tooDeep = attributeBytes(attribute("deep", nestedValue(33, "kvlistValue")));
    expect(fault(spanWith(tooDeep, filler))).toMatch(/^too_deep/);
  });

  it("is counted, and nothing else is made of it, in both encodings", () => {
    const attributes = Array.from({ length: MAX_ATTRIBUTES + 500 }, (_, at) => attribute(`k${at}`, `v${at}`));
    const model = traces([span({ attributes })]);
    for (const decoded of [
      decodeTracesProtobuf(encodeTracesProtobuf(model)),
      decodeTracesJson(encodeTracesJson(model)),
    ]) {
      const found = decoded.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.attributes;
      expect(found).toHaveLength(attributes.length);
      expect(new Set(found).size).toBe(MAX_ATTRIBUTES + 1);
      expect(spanRowsFrom(decoded)).toMatchObject({ droppedAttributes: 500, cutValues: 0 });
    }
  });

  it("with a key that is too long costs no text of that length", () => {
    const long = encodeTracesProtobuf(traces([span({ attributes: [attribute("k".repeat(1_000_000), "v")] })]));
    const decoded = decodeTracesProtobuf(long);
    const [only] = decoded.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.attributes;
    expect(only!.key.length).toBe(MAX_ATTRIBUTE_KEY_LENGTH + 1);
    expect(spanRowsFrom(decoded)).toMatchObject({ droppedAttributes: 1 });
  });

  it.each(["k", "é", "日", "\u{1f600}"])(
    "is one whose key of %j is over the limit in UTF-16 units, and no other",
    (unit) => {
      for (const [length, dropped] of [
        [MAX_ATTRIBUTE_KEY_LENGTH, 0],
        [MAX_ATTRIBUTE_KEY_LENGTH + unit.length, 1],
      ] as const) {
        const key = unit.repeat(length / unit.length);
        const body = encodeTracesProtobuf(traces([span({ attributes: [attribute(key, "v")] })]));
        expect(spanRowsFrom(decodeTracesProtobuf(body))).toMatchObject({ droppedAttributes: dropped });
      }
    },
  );
});

/** The `KeyValue` message of an attribute. */
function attributeBytes(one: KeyValue): Uint8Array {
  // Request, resource spans, resource: each has it as its first field.
  const body = encodeTracesProtobuf({
    resourceSpans: [{ resource: { attributes: [one] }, scopeSpans: [], schemaUrl: "" }],
  });
  return innermost(body, 3);
}

/** Content of the first field, `levels` times. */
function innermost(bytes: Uint8Array, levels: number): Uint8Array {
  let inner = bytes;
  for (let level = 0; level < levels; level++) {
    let at = 1;
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = inner[at++]!;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    inner = inner.subarray(at, at + length);
  }
  return inner;
}
