import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { describe, expect, it } from "vitest";
import type { SdkTrace } from "./sdk-packages.ts";
import { batchSettings, exporterPackages, exportTimeoutMillis, samplerFrom, spanLimits } from "./sdk-settings.ts";

const sdk = {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} as unknown as SdkTrace;

describe("the standard variables", () => {
  it.each([
    [undefined, undefined],
    ["always_on", "AlwaysOnSampler"],
    ["always_off", "AlwaysOffSampler"],
    ["traceidratio", "TraceIdRatioBased{0.25}"],
    ["parentbased_traceidratio", /^ParentBased\{root=TraceIdRatioBased\{0.25\}/],
    ["parentbased_always_off", /^ParentBased\{root=AlwaysOffSampler/],
    ["no_such_thing", undefined],
    ["__proto__", undefined],
  ])("OTEL_TRACES_SAMPLER=%s", (name, expected) => {
    const env = { OTEL_TRACES_SAMPLER_ARG: "0.25", ...(name === undefined ? {} : { OTEL_TRACES_SAMPLER: name }) };
    const sampler = samplerFrom(env, sdk);
    if (expected === undefined) expect(sampler).toBeUndefined();
    // oxlint-disable-next-line typescript/no-base-to-string -- samplers of the SDK describe themselves
    else expect(String(sampler)).toMatch(expected);
  });

  it("set batches and limits; what is no number leaves the default", () => {
    expect(batchSettings({})).toEqual({ maxBatch: 512, maxQueue: 2_048, delayMillis: 5_000 });
    expect(
      batchSettings({
        OTEL_BSP_MAX_QUEUE_SIZE: "9",
        OTEL_BSP_SCHEDULE_DELAY: "-1",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "x",
      }),
    ).toEqual({
      maxBatch: 512,
      maxQueue: 9,
      delayMillis: 5_000,
    });
    expect(spanLimits({ OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "100", OTEL_SPAN_EVENT_COUNT_LIMIT: "" })).toEqual({
      attributeValueLengthLimit: 100,
    });
  });

  it("choose the exporter and how long it may take, at most a second and a half", () => {
    expect(exporterPackages({})[0]).toContain("proto");
    expect(exporterPackages({ OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" })[0]).toContain("otlp-http");
    expect(exportTimeoutMillis({ OTEL_EXPORTER_OTLP_TIMEOUT: "300" })).toBe(300);
    expect(exportTimeoutMillis({ OTEL_EXPORTER_OTLP_TIMEOUT: "10000" })).toBe(1_500);
  });
});
