import { expect, it } from "vitest";
import { derivedSpanId, encodeRecords, unixNanoFromMillis } from "./record-span.ts";

it("encodes a record as a zero-duration OTLP/JSON span", () => {
  const span = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: "00f067aa0ba902b7",
    name: "runproof.run start",
    timeUnixNano: "1763715054000000001",
    attributes: { text: "é\n", yes: true, count: 3, share: 0.5, huge: 2 ** 60, none: Number.NaN },
  };
  const body = JSON.parse(encodeRecords({ attributes: { "service.name": "agent" }, scopeVersion: "1.0.0" }, [span]));
  expect(body).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "agent" } }] },
        scopeSpans: [
          {
            scope: { name: "runproof", version: "1.0.0" },
            spans: [
              {
                traceId: span.traceId,
                spanId: span.spanId,
                parentSpanId: span.parentSpanId,
                name: span.name,
                kind: 1,
                startTimeUnixNano: span.timeUnixNano,
                endTimeUnixNano: span.timeUnixNano,
                attributes: [
                  { key: "text", value: { stringValue: "é\n" } },
                  { key: "yes", value: { boolValue: true } },
                  { key: "count", value: { intValue: "3" } },
                  { key: "share", value: { doubleValue: 0.5 } },
                  { key: "huge", value: { doubleValue: 2 ** 60 } },
                  { key: "none", value: { doubleValue: "NaN" } },
                ],
                status: {},
              },
            ],
          },
        ],
      },
    ],
  });
});

it("derives the same span id from the same fact, and another from another", () => {
  expect(derivedSpanId("run", "process_died")).toMatch(/^[0-9a-f]{16}$/);
  expect(derivedSpanId("run", "process_died")).toBe(derivedSpanId("run", "process_died"));
  expect(derivedSpanId("run", "process_died")).not.toBe(derivedSpanId("run2", "process_died"));
});

it("keeps the digits of a time", () => {
  expect(unixNanoFromMillis(1_763_715_054_123)).toBe("1763715054123000000");
});
