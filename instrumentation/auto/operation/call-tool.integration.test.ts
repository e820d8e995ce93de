import { describe, expect, it } from "vitest";
import { defineContract } from "../../contract/contract.ts";
import { withRun } from "../../run/with-run.ts";
import { allOf } from "../testing/all-of.ts";
import { recordStack } from "../testing/stack-recording.ts";
import { callTool, failedBeforeCall } from "./call-tool.ts";

const contract = defineContract({ agent: "caller", tools: { sideEffects: { count: "read" } } });
const inRun = <Result>(work: () => Result) => withRun(contract, work);

async function* counting(): AsyncGenerator<number, string> {
  yield 1;
  yield 2;
  return "three";
}

describe("a tool's call", () => {
  it("gives back what the tool does, in kind, and is recorded with its result", async () => {
    const { result, tools } = await recordStack(() =>
      inRun(async () => [
        callTool({ name: "now", callId: "c1" }, { a: 1 }, () => "at once"),
        await callTool({ name: "later" }, {}, () => Promise.resolve("in a while")),
        await allOf(callTool({ name: "count" }, {}, counting) as AsyncIterable<number>),
      ]),
    );
    expect(result).toEqual(["at once", "in a while", [1, 2]]);
    expect(tools).toMatchObject([
      { name: "now", callId: "c1", args: { a: 1 }, result: "at once" },
      { name: "later", callId: undefined, result: "in a while" },
      { name: "count", result: "three" },
    ]);
  });

  it("that nobody listens to any more ends with what was heard", async () => {
    let isLeft = false;
    async function* endless() {
      try {
        for (let count = 0; ; count++) yield count;
      } finally {
        isLeft = true;
      }
    }
    const { tools } = await recordStack(() =>
      inRun(async () => {
        for await (const one of callTool({ name: "endless" }, {}, endless) as AsyncIterable<number>)
          if (one === 2) break;
      }),
    );
    expect(tools).toMatchObject([{ name: "endless", result: 2, error: undefined }]);
    expect(isLeft).toBe(true);
  });

  it("throws what the tool throws, at once and later", async () => {
    const raise = () => {
      throw new RangeError("too far");
    };
    const { result, tools } = await recordStack(() =>
      inRun(async () => {
        const seen: unknown[] = [];
        try {
          callTool({ name: "raise" }, {}, raise);
        } catch (error) {
          seen.push(error);
        }
        await Promise.resolve(callTool({ name: "raise" }, {}, async () => raise())).catch((error) => seen.push(error));
        return seen.map(String);
      }),
    );
    expect(result).toEqual(["RangeError: too far", "RangeError: too far"]);
    expect(tools.map(({ error }) => error)).toEqual(["RangeError", "RangeError"]);
  });

  it("is answered in a replay, and what is only watched happens again", async () => {
    let made = 0;
    const work = () =>
      inRun(async () => [
        await callTool({ name: "asked", revive: (json) => ({ revived: json }) }, {}, () => ++made),
        await callTool({ name: "watched", isObserved: true }, {}, () => ++made),
      ]);
    const recorded = await recordStack(work);
    expect(recorded.result).toEqual([1, 2]);
    expect((await recordStack(work, { answers: recorded.spans })).result).toEqual([{ revived: 1 }, 3]);
  });

  it("outside of a run is the tool", () => {
    expect(callTool({ name: "alone" }, {}, () => 7)).toBe(7);
    failedBeforeCall({ name: "alone" }, {}, new Error("no"));
  });
});
