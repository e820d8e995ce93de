import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { defineContract } from "../instrumentation/contract/contract.ts";
import type { ClosedRun } from "../instrumentation/run/active-run.ts";
import { recordArtifact } from "../instrumentation/run/record-artifact.ts";
import { only, startRecorder, type Recorder } from "../instrumentation/run/testing/recorder.ts";
import { withRun } from "../instrumentation/run/with-run.ts";
import { wrapTool } from "../instrumentation/run/wrap-tool.ts";
import * as semconv from "../instrumentation/semconv.ts";
import { RunSpanProcessor } from "./span-processor.ts";

let recorder: Recorder;
afterEach(() => recorder.close());

const contract = defineContract({
  agent: "clerk",
  artifacts: [{ name: "report", path: "report.md" }],
  sideEffects: { expected: [{ tool: "send", arguments: { to: "jane.roe@example.com" }, confirmedBy: "reference" }] },
  answer: { required: [{ contains: "jane.roe@example.com" }] },
});
const send = wrapTool(
  { name: "send", sideEffect: "network", referenceOf: () => "m-1" },
  (args: { to: string }) => args,
);

describe("a run in a process with a RunSpanProcessor", () => {
  const run = async (work: (folder: string) => Promise<unknown>): Promise<ClosedRun> => {
    recorder = await startRecorder({ sdk: { processors: [new RunSpanProcessor()] } });
    const { promise, resolve } = Promise.withResolvers<ClosedRun>();
    const options = { cwd: recorder.folder, onClosed: resolve };
    await withRun(contract, () => work(recorder.folder), options).catch(() => {});
    return await promise;
  };

  it("is told its verdict when it closes, although all evidence is redacted", async () => {
    const closed = await run(async (folder) => {
      await writeFile(join(folder, "report.md"), "done");
      await send({ to: "jane.roe@example.com" });
      return "sent to jane.roe@example.com";
    });
    expect(closed.verdict).toMatchObject({ status: "passed", reasons: [], failureClass: null });
    expect(closed.verdict?.proofs.map((proof) => proof.clause)).toContain("/artifacts/0");
    const root = only(recorder.exported(), semconv.RUN_EVENT_ROOT);
    expect(root.attributes[semconv.ATTR_VERDICT_STATUS]).toBe("passed");
    expect(JSON.stringify([recorder.bodies, root.attributes])).not.toContain("jane.roe");
  });

  it("fails for what is missing, whatever it says of itself", async () => {
    const closed = await run(async () => "sent to jane.roe@example.com");
    expect(closed.verdict?.status).toBe("failed");
    expect(closed.verdict?.reasons.map((reason) => reason.code)).toEqual([
      "missing_artifact_ref",
      "side_effect_missing",
    ]);
  });

  it("fails for the contract's artifact although it recorded another under the name", async () => {
    recorder = await startRecorder({ sdk: { processors: [new RunSpanProcessor()] } });
    const placed = defineContract({ agent: "clerk", artifacts: [{ name: "report", path: "report.md" }] });
    await writeFile(join(recorder.folder, "decoy.md"), "decoy");
    const { promise, resolve } = Promise.withResolvers<ClosedRun>();
    await withRun(placed, (active) => recordArtifact(active, { name: "report", path: "decoy.md" }), {
      cwd: recorder.folder,
      onClosed: resolve,
    });
    expect((await promise).verdict).toMatchObject({ status: "failed", failureClass: "missing_artifact_ref" });
  });

  it("fails when it was aborted, and is inconclusive when nobody could say whether a call succeeded", async () => {
    const aborted = await run(async () => {
      throw new TypeError("broken");
    });
    expect(aborted.verdict?.status).toBe("failed");
    expect(aborted.verdict?.reasons.map((reason) => reason.code)).toContain("run_aborted");
    await recorder.close();
    const doubtful = wrapTool({ name: "look", sideEffect: "read", errorOf: () => null as never }, () => 1);
    const unsure = wrapTool(
      { name: "look", sideEffect: "read", errorOf: (result: number) => (result as never as { a: { b: string } }).a.b },
      () => 1,
    );
    const closed = await run(async (folder) => {
      await writeFile(join(folder, "report.md"), "done");
      await send({ to: "jane.roe@example.com" });
      await doubtful(1);
      await unsure(1);
      return "jane.roe@example.com";
    });
    expect(closed.verdict).toMatchObject({ status: "inconclusive", failureClass: "evidence_incomplete" });
  });
});
