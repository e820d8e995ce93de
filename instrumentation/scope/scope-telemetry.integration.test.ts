import { trace } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import { defineContract } from "../contract/contract.ts";
import { only, startRecorder, type Recorder, type RecorderOptions } from "../run/testing/recorder.ts";
import { withRun } from "../run/with-run.ts";
import * as semconv from "../semconv.ts";
import { createScopeResolver } from "./scope-resolver.ts";
import { createMemorySource } from "./testing/memory-source.ts";

let recorder: Recorder | undefined;
const start = async (options: RecorderOptions = {}): Promise<Recorder> => (recorder = await startRecorder(options));
afterEach(async () => {
  await recorder?.close();
  recorder = undefined;
});

const contract = defineContract({ agent: "writer" });
const resolver = () =>
  createScopeResolver({
    sources: { local: createMemorySource("staging"), cloud: createMemorySource("production") },
    authorize: () => ({ allowed: true }),
    policy: { fallback: { kind: "fail" } },
  });

const FIELDS = {
  runtime_scope: null,
  local_scope: "staging",
  cloud_scope: "production",
  resolved_scope: "staging",
  authorized: true,
  reason: "cloud_mismatch",
  action_required: "sync_cloud",
  drift_snapshot: { source_precedence: ["runtime", "local", "cloud", "fallback"] },
};

describe("drift in a run", () => {
  it("is an event of the run that survives the process, with exactly the fields of the specification", async () => {
    const seen = await start();
    await withRun(contract, () => resolver().withScope("orders.write", () => "written"));
    const { attributes } = only(seen.direct(), semconv.RUN_EVENT_CHECKPOINT);
    expect(attributes[semconv.ATTR_CHECKPOINT_NAME]).toBe("scope_drift_detected");
    expect(JSON.parse(String(attributes[semconv.ATTR_CHECKPOINT_ATTRIBUTES]))).toEqual(FIELDS);
  });

  it("is an event of the run's span too, and the span carries the scope the run worked in", async () => {
    const seen = await start({ sdk: true });
    await withRun(contract, () => resolver().withScope("orders.write", () => "written"));
    const events = seen.sdkEvents() as { name: string; attributes: Record<string, string> }[];
    expect(events.map(({ name }) => name)).toEqual(["scope_drift_detected"]);
    expect(JSON.parse(events[0]?.attributes[semconv.ATTR_CHECKPOINT_ATTRIBUTES] ?? "")).toEqual(FIELDS);
    const [root] = seen.exported();
    expect(root?.attributes).toMatchObject({
      [semconv.ATTR_SCOPE]: "staging",
      [semconv.ATTR_SCOPE_STATE]: "DRIFTED",
    });
  });

  it("leaves no scope on the span of a run that was refused", async () => {
    const seen = await start({ sdk: true });
    const refusing = createScopeResolver({
      sources: { cloud: createMemorySource("production") },
      authorize: () => ({ allowed: false, reason: "no" }),
      policy: { fallback: { kind: "fail" } },
    });
    await withRun(contract, () => refusing.withScope("orders.write", () => "written"));
    expect(Object.keys(seen.exported()[0]?.attributes ?? {})).not.toContain(semconv.ATTR_SCOPE);
  });
});

describe("drift outside of every run", () => {
  it("is an event of the active span, with the same fields as attributes", async () => {
    const seen = await start({ sdk: true });
    await trace.getTracer("test").startActiveSpan("request", async (span) => {
      await resolver().check();
      span.end();
    });
    expect(seen.sdkEvents()).toMatchObject([{ name: "scope_drift_detected" }]);
    const [event] = seen.sdkEvents() as { attributes: object }[];
    expect(event?.attributes).toEqual({
      runtime_scope: "",
      local_scope: "staging",
      cloud_scope: "production",
      resolved_scope: "staging",
      authorized: true,
      reason: "cloud_mismatch",
      action_required: "sync_cloud",
      "drift_snapshot.source_precedence": ["runtime", "local", "cloud", "fallback"],
    });
  });

  it("costs nothing where nobody listens", async () => {
    expect(await resolver().check()).toMatchObject({ state: "DRIFTED" });
  });
});
