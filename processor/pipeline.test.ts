import { describe, expect, it } from "vitest";
import type { Component } from "./component.ts";
import { createPipeline } from "./pipeline.ts";

/** Components that write down what happens to them; `broken` names the step that throws. */
function bench(...names: readonly string[]) {
  const told: string[] = [];
  const step = (what: string, broken: string | undefined) => async (): Promise<void> => {
    told.push(what);
    if (what === broken) throw new Error(`${what} failed`);
  };
  const components = (broken?: string): Component[] =>
    names.map((name) => ({ start: step(`start ${name}`, broken), shutdown: step(`stop ${name}`, broken) }));
  return { told, components };
}

describe("a pipeline", () => {
  it("starts in order and stops in reverse", async () => {
    const { told, components } = bench("a", "b", "c");
    const pipeline = createPipeline(components());
    await pipeline.start();
    await pipeline.shutdown();
    expect(told).toEqual(["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
  });

  it("stops those that run when one does not start, and says why it did not", async () => {
    const { told, components } = bench("a", "b", "c");
    await expect(createPipeline(components("start c")).start()).rejects.toThrow("start c failed");
    expect(told).toEqual(["start a", "start b", "start c", "stop b", "stop a"]);
  });

  it("tells the reason of the start, not that of the clean-up", async () => {
    const { told, components } = bench("a", "b");
    const parts = components("start b");
    const noisy = { ...parts[0]!, shutdown: () => Promise.reject(new Error("clean-up")) };
    await expect(createPipeline([noisy, parts[1]!]).start()).rejects.toThrow("start b failed");
    expect(told).toEqual(["start a", "start b"]);
  });

  it("stops the others when one does not stop, and then says so", async () => {
    const { told, components } = bench("a", "b", "c");
    const pipeline = createPipeline(components("stop b"));
    await pipeline.start();
    const error = await pipeline.shutdown().catch((thrown: unknown) => thrown);
    expect(told.slice(3)).toEqual(["stop c", "stop b", "stop a"]);
    expect((error as AggregateError).errors).toEqual([new Error("stop b failed")]);
  });

  it("stops each part once when it is stopped twice, also at the same time", async () => {
    const { told, components } = bench("a", "b");
    const pipeline = createPipeline(components());
    await pipeline.start();
    await Promise.all([pipeline.shutdown(), pipeline.shutdown()]);
    await pipeline.shutdown();
    expect(told.filter((what) => what.startsWith("stop")).toSorted()).toEqual(["stop a", "stop b"]);
  });

  it("stops without a start", async () => {
    const { told, components } = bench("a");
    await createPipeline(components()).shutdown();
    expect(told).toEqual([]);
  });
});
