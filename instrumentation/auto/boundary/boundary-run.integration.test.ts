import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineContract } from "../../contract/contract.ts";
import { resetRuntime, configure } from "../../runtime.ts";
import { currentScope, setProcessRun } from "../../run/run-scope.ts";
import type { ActiveRun } from "../../run/active-run.ts";
import { withRun } from "../../run/with-run.ts";
import * as semconv from "../../semconv.ts";
import { startCollector, type LoopbackCollector } from "../../transport/testing/loopback-collector.ts";
import { atBoundary, openBoundaryRun } from "./boundary-run.ts";
import { configureBoundaries, setContracts } from "./boundary-settings.ts";

let collector: LoopbackCollector;
beforeEach(async () => {
  collector = await startCollector();
  configure({ endpoint: collector.url, stateDirectory: null });
  configureBoundaries({});
  setContracts({});
});
afterEach(async () => {
  setProcessRun(undefined);
  delete process.env["OTEL_SDK_DISABLED"];
  resetRuntime();
  await collector.close();
});

type Sent = LoopbackCollector["spans"][number];
const sent = (event: string): Sent[] =>
  collector.spans.filter((span) => attribute(span, semconv.ATTR_RUN_EVENT) === event);
const attribute = (span: Sent | undefined, name: string): unknown =>
  Object.values(span?.attributes.find(({ key }) => key === name)?.value ?? {})[0];

describe("a run at a boundary", () => {
  it("is open at once, without waiting for a collector that hangs", () => {
    collector.answer = () => {};
    const boundary = openBoundaryRun({ kind: "agent", agentName: "writer", input: { topic: "tea" } });
    expect(boundary?.run.contract).toMatchObject({ agent: "writer", artifacts: [] });
    expect(boundary?.inContext(() => currentScope()?.run.runId)).toBe(boundary?.run.runId);
    expect(currentScope()).toBeUndefined();
  });

  it("leaves its start, its input, its answer and its error class", async () => {
    const work = atBoundary({ kind: "agent", agentName: "writer", input: { topic: "tea" } }, async () => {
      throw Object.assign(new Error("nobody there"), { code: "ECONNREFUSED" });
    });
    await expect(work).rejects.toThrow("nobody there");
    await atBoundary({ kind: "agent", agentName: "writer" }, async () => "all done");
    expect(sent("start").map((span) => attribute(span, semconv.ATTR_RUN_INPUT))).toEqual([
      '{"topic":"tea"}',
      undefined,
    ]);
    const [failed, good] = sent("close").map((span) => JSON.parse(String(attribute(span, semconv.ATTR_EVIDENCE))));
    expect(failed).toMatchObject({ error: { errorClass: "dependency_unavailable" } });
    expect(good).toMatchObject({ error: null, answer: "all done" });
  });

  it("takes the contract that is named after the agent, and the configured name before the stack's", () => {
    setContracts({ writer: defineContract({ agent: "writer", tools: { allowed: ["look"] } }) });
    configureBoundaries({ agentName: "service" });
    const named = (agentName?: string) =>
      openBoundaryRun({ kind: "agent", ...(agentName === undefined ? {} : { agentName }) })?.run.contract;
    expect(named("writer")).toMatchObject({ agent: "writer", tools: { allowed: ["look"] } });
    expect(named("Some Chain")).toMatchObject({ agent: "service" });
    expect(named()).toMatchObject({ agent: "service" });
    configureBoundaries({ fallbackName: "package" });
    expect([named("Some Chain")?.agent, named()?.agent]).toEqual(["Some Chain", "package"]);
  });

  it.each([
    ["", "agent"],
    ["x".repeat(500), "x".repeat(200)],
  ])("is recorded whatever the name is: %j", (name, agent) => {
    expect(openBoundaryRun({ kind: "agent", agentName: name })?.run.contract.agent).toBe(agent);
  });

  it("is not opened inside of a run, but below the run of the process", async () => {
    await withRun(defineContract({ agent: "outer" }), (run) => {
      expect(openBoundaryRun({ kind: "agent" })).toBeUndefined();
      setProcessRun(run as ActiveRun);
    });
    const outer = currentScope()?.run.runId;
    const boundary = openBoundaryRun({ kind: "agent" });
    await boundary?.close();
    expect(outer).toBeDefined();
    expect(attribute(sent("start").at(-1), semconv.ATTR_PARENT_RUN_ID)).toBe(outer);
  });

  it("is not opened at a boundary that is not configured, nor with OTEL_SDK_DISABLED", async () => {
    expect(openBoundaryRun({ kind: "http" })).toBeUndefined();
    configureBoundaries({ boundaries: ["http"] });
    expect(openBoundaryRun({ kind: "agent" })).toBeUndefined();
    expect(openBoundaryRun({ kind: "http" })).toBeDefined();
    process.env["OTEL_SDK_DISABLED"] = "TRUE";
    expect(openBoundaryRun({ kind: "http" })).toBeUndefined();
    await expect(atBoundary({ kind: "http" }, async (run) => run)).resolves.toBeUndefined();
  });

  it("never throws for what it is given", () => {
    const hostile = new Proxy({}, { get: raise, ownKeys: raise, has: raise, getPrototypeOf: raise }) as never;
    expect(openBoundaryRun({ kind: "agent", agentName: hostile, input: hostile })).toBeUndefined();
    expect(openBoundaryRun({ kind: "agent", agentName: "a", input: hostile })?.run.contract.agent).toBe("a");
  });
});

function raise(): never {
  throw new Error("no");
}
