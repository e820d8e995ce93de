import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { defineContract } from "../contract/contract.ts";
import * as semconv from "../semconv.ts";
import type { ClosedRun } from "./active-run.ts";
import { closeRun } from "./close-run.ts";
import { calls, evidenceOf, only, startRecorder, type Recorder, type RecorderOptions } from "./testing/recorder.ts";
import { withRun } from "./with-run.ts";
import { wrapTool } from "./wrap-tool.ts";

const contract = defineContract({ agent: "writer" });

let recorder: Recorder | undefined;
const start = async (options: RecorderOptions = {}): Promise<Recorder> => (recorder = await startRecorder(options));
afterEach(async () => {
  await recorder?.close();
  recorder = undefined;
});

/** In a box, because a promise would look into what was thrown. */
const rejection = async (work: Promise<unknown>): Promise<[unknown]> =>
  await work.then(
    () => expect.fail("it resolved"),
    (error: unknown): [unknown] => [error],
  );

describe("withRun()", () => {
  it("gives back the very result, and a text becomes the answer", async () => {
    const seen = await start();
    const result = { a: 1 };
    expect(await withRun(contract, () => result)).toBe(result);
    expect(evidenceOf(only(seen.direct(), "close"))["answer"]).toBeNull();
    await seen.close();
    const again = await start();
    expect(await withRun(contract, async () => "42 items")).toBe("42 items");
    expect(evidenceOf(only(again.direct(), "close"))["answer"]).toBe("42 items");
  });

  it("leaves an answer that the run set itself", async () => {
    const seen = await start();
    await withRun(contract, (run) => {
      run.setAnswer("one");
      run.setAnswer("two", { append: true });
      return "something else";
    });
    expect(evidenceOf(only(seen.direct(), "close"))["answer"]).toBe("one\ntwo");
  });

  const thrown: [string, unknown, { errorClass: string; message: string }][] = [
    ["an error", new TypeError("broken"), { errorClass: "TypeError", message: "broken" }],
    ["a text", "just text", { errorClass: "_OTHER", message: "just text" }],
    ["undefined", undefined, { errorClass: "_OTHER", message: "undefined" }],
    ["an object without a prototype", Object.create(null), { errorClass: "_OTHER", message: expect.any(String) }],
    [
      "an error whose getters throw",
      Object.defineProperty(new Error("x"), "name", { get: () => raise("from a getter") }),
      { errorClass: "_OTHER", message: expect.any(String) },
    ],
    [
      "a proxy that throws at everything",
      new Proxy({}, { get: () => raise("trap"), getPrototypeOf: () => raise("trap"), has: () => raise("trap") }),
      { errorClass: "_OTHER", message: expect.any(String) },
    ],
  ];
  it.each(thrown)("throws the very same thing and closes the run as aborted: %s", async (_, what, expected) => {
    const seen = await start();
    let closed: ClosedRun | undefined;
    const [error] = await rejection(withRun(contract, () => raise(what), { onClosed: (one) => void (closed = one) }));
    expect(Object.is(error, what)).toBe(true);
    expect(closed?.runId).toMatch(/-/);
    expect(evidenceOf(only(seen.direct(), "close"))["error"]).toEqual(expected);
    const root = only(seen.direct(), "run");
    expect(root.error).toBe(true);
    expect(root.attributes[semconv.ATTR_ERROR_TYPE]).toBe(expected.errorClass);
  });

  it("closes once, also when the work closed the run itself, and tells how", async () => {
    const seen = await start();
    const told: ClosedRun[] = [];
    await withRun(
      contract,
      (run) => {
        void closeRun(run, { answer: "by hand" });
        return "not this";
      },
      { onClosed: (closed) => void told.push(closed) },
    );
    expect(told).toHaveLength(1);
    expect(evidenceOf(only(seen.direct(), "close"))["answer"]).toBe("by hand");
  });

  it.each<[string, () => void | Promise<void>]>([
    ["throws", () => raise(new Error("mine"))],
    ["rejects", async () => raise(new Error("mine"))],
  ])("goes on when onClosed() %s", async (_, onClosed) => {
    await start();
    expect(await withRun(contract, () => 1, { onClosed })).toBe(1);
    const error = new Error("the agent's");
    expect((await rejection(withRun(contract, () => raise(error), { onClosed })))[0]).toBe(error);
  });
});

describe("parallel runs", () => {
  it.each<[string, RecorderOptions]>([
    ["without an SDK", {}],
    ["with an SDK", { sdk: true }],
  ])("keep their calls apart, at the same paths whatever the timing: %s", async (_, options) => {
    const seen = await start({ ...options, deadlineMillis: 5_000 });
    const wait = async (): Promise<void> => void (await sleep(Math.random() * 5));
    const search = wrapTool({ name: "search", sideEffect: "read" }, async (args: { run: number; n: number }) => {
      await wait();
      return args;
    });
    const plan = wrapTool({ name: "plan" }, async ({ run }: { run: number }) => {
      await Promise.all([0, 1].map((n) => search({ run, n })));
      await wait();
      return await search({ run, n: 2 });
    });
    const runIds = await Promise.all(
      Array.from({ length: 50 }, async (_unused, run) => {
        await wait();
        return await withRun(contract, async ({ runId }) => {
          await Promise.all([plan({ run }), plan({ run }), search({ run, n: 9 })]);
          return runId;
        });
      }),
    );
    await seen.flush();
    const byPath = (run: number): [unknown, unknown][] =>
      calls(seen.all())
        .filter((span) => span.attributes[semconv.ATTR_RUN_ID] === runIds[run])
        .map((span): [unknown, unknown] => [
          span.attributes[semconv.ATTR_CALL_PATH],
          JSON.parse(String(span.attributes[semconv.ATTR_TOOL_CALL_ARGUMENTS])),
        ])
        .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    for (let run = 0; run < 50; run++) {
      const below = (step: string): [string, unknown][] =>
        [0, 1, 2].map((n) => [`${step}/search#${n}`, { run, n }] as [string, unknown]);
      expect(byPath(run)).toEqual([
        ["plan#0", { run }],
        ...below("plan#0"),
        ["plan#1", { run }],
        ...below("plan#1"),
        ["search#0", { run, n: 9 }],
      ]);
    }
    const counts = seen
      .all()
      .filter((span) => span.attributes[semconv.ATTR_RUN_EVENT] === "close")
      .map((span) => evidenceOf(span)["toolCallCount"]);
    expect(counts).toEqual(Array.from({ length: 50 }, () => 9));
  });
});

function raise(what: unknown): never {
  throw what;
}
