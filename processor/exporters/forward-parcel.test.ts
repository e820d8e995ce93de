import { describe, expect, it } from "vitest";
import { decodeTracesProtobuf } from "../otlp/index.ts";
import { encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { span, traces } from "../otlp/testing/model-builders.ts";
import { backoffMillis } from "./backoff.ts";
import type { ForwardBody } from "./forward-body.ts";
import { halvesOf, parcelBytes, parcelsFrom } from "./forward-parcel.ts";

const named = (name: string, kind: "traces" | "logs" = "traces"): ForwardBody => ({
  kind,
  bytes: encodeTracesProtobuf(traces([span({ name })])),
  records: 1,
});
const size = named("a").bytes.length;

const namesIn = (bytes: Uint8Array): string[] =>
  decodeTracesProtobuf(bytes).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
  );

describe("a parcel", () => {
  it("is one request that says what its bodies said, in order", () => {
    const [parcel, ...others] = parcelsFrom(
      ["a", "b", "c"].map((name) => named(name)),
      10_000,
    );
    expect(others).toEqual([]);
    expect(parcel).toMatchObject({ records: 3, bytes: 3 * size });
    expect(namesIn(parcelBytes(parcel!))).toEqual(["a", "b", "c"]);
    expect(halvesOf(parcel!).map((half) => namesIn(parcelBytes(half)))).toEqual([["a"], ["b", "c"]]);
  });

  it("keeps to the limit and to one kind; what is larger goes alone", () => {
    const bodies = [named("a"), named("l", "logs"), named("b"), named("c"), named("large".repeat(100)), named("d")];
    const parcels = parcelsFrom(bodies, 2 * size);
    expect(parcels.map((parcel) => parcel.bodies.length)).toEqual([2, 1, 1, 1, 1]);
    expect(parcels.map(({ kind }) => kind)).toEqual(["traces", "traces", "traces", "traces", "logs"]);
    expect(parcelsFrom([], 10)).toEqual([]);
  });
});

describe("a wait", () => {
  it("doubles up to its limit, with jitter down to half", () => {
    for (let failures = 1; failures <= 40; failures++) {
      const full = Math.min(30_000, 1_000 * 2 ** (failures - 1));
      const millis = backoffMillis(failures, undefined);
      expect(millis).toBeGreaterThanOrEqual(full / 2);
      expect(millis).toBeLessThanOrEqual(full);
    }
  });

  it("is as long as the other side asks, within reason", () => {
    expect(backoffMillis(1, 45_000)).toBe(45_000);
    expect(backoffMillis(1, 1e12)).toBe(600_000);
    expect(backoffMillis(3, 1)).toBeGreaterThanOrEqual(2_000);
  });
});
