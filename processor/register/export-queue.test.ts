import { TracerProvider } from "@opentelemetry/sdk-trace";
import { describe, expect, it } from "vitest";
import type { SdkSpan } from "../sdk-span.ts";
import { ExportQueue, type ExportQueueOptions } from "./export-queue.ts";
import type { SdkExporter } from "./sdk-packages.ts";

type Answer = (result: { readonly code: number; readonly error?: Error }) => void;

/** A queue of the real SDK's spans, and an exporter that answers when the test says. */
function queueWith(options: Partial<ExportQueueOptions> = {}) {
  const exported: { readonly spans: readonly SdkSpan[]; readonly answer: Answer }[] = [];
  const kept: SdkSpan[] = [];
  const exporter: SdkExporter = {
    export: (spans, answer) => void exported.push({ spans, answer }),
    shutdown: async () => {},
  };
  const queue = new ExportQueue({
    exporter,
    canExport: () => true,
    keep: (spans) => void kept.push(...spans),
    ...{ maxBatch: 3, maxQueue: 5, delayMillis: 60_000 },
    ...options,
  });
  const tracer = new TracerProvider({ spanProcessors: [queue as never] }).getTracer("test");
  const end = (count: number): void => {
    for (let n = 0; n < count; n++) tracer.startSpan("s").end();
  };
  return { queue, exported, kept, end };
}

describe("the export queue", () => {
  it("exports full batches one after the other, and keeps what is too much", async () => {
    const { queue, exported, kept, end } = queueWith();
    end(3);
    expect(exported.map(({ spans }) => spans.length)).toEqual([3]);
    end(4);
    expect([exported.length, kept.length]).toEqual([1, 0]);
    end(2);
    expect([exported.length, kept.length]).toEqual([1, 3]);
    exported[0]?.answer({ code: 0 });
    const flushed = queue.forceFlush();
    exported[1]?.answer({ code: 0 });
    await flushed;
    expect([kept.length, queue.isOwing()]).toEqual([3, false]);
  });

  it.each([
    ["fails", (answer: Answer) => answer({ code: 1, error: new Error("down") })],
    ["throws", undefined],
  ])("keeps a batch whose export %s", async (_, fail) => {
    const throwing = {
      export: () => {
        throw new Error("a bug");
      },
      shutdown: async () => {},
    };
    const { queue, exported, kept, end } = queueWith(fail === undefined ? { exporter: throwing } : {});
    end(2);
    const flushed = queue.forceFlush();
    if (exported[0] !== undefined) fail?.(exported[0].answer);
    await flushed;
    expect([kept.length, queue.isOwing()]).toEqual([2, false]);
  });

  it("hands over everything when the process ends, also what is under way, and once", async () => {
    const { queue, exported, kept, end } = queueWith();
    end(4);
    queue.keepAll();
    expect([kept.length, queue.isOwing()]).toEqual([4, false]);
    exported[0]?.answer({ code: 1 });
    await Promise.resolve();
    queue.keepAll();
    expect(kept).toHaveLength(4);
  });

  it("does not try while the collector is known to be away", async () => {
    const { queue, exported, end } = queueWith({ canExport: () => false });
    end(2);
    await queue.forceFlush();
    expect([exported.length, queue.isOwing()]).toEqual([0, true]);
  });
});
