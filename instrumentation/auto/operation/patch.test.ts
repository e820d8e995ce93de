import { describe, expect, it } from "vitest";
import { instrumentAiSdk } from "../ai-sdk/index.ts";
import { instrumentLangChain } from "../langchain/index.ts";
import { instrumentMastra } from "../mastra/index.ts";
import { instrumentOpenAiAgents } from "../openai-agents/index.ts";
import { patch } from "./patch.ts";

const shout = () => "loud";

describe("a patch", () => {
  it("is made once, is undone only by who made it last, and misses nothing that is not there", () => {
    const target = { say: () => "quiet" };
    const undo = patch(target, "say", () => shout);
    patch(target, "say", () => () => "twice");
    expect(target.say()).toBe("loud");
    const later = () => "later";
    target.say = later;
    undo();
    expect(target.say()).toBe("later");
    for (const nothing of [undefined, null, 7, {}, { say: 7 }]) patch(nothing, "say", () => shout)();
  });

  it("of a method leaves the class's own and the names that others look at", () => {
    class Base {
      say(): string {
        return "quiet";
      }
    }
    class Heir extends Base {}
    const undo = patch(
      Heir.prototype,
      "say",
      (original) =>
        function (this: unknown) {
          return `${String(original.call(this))}!`;
        },
    );
    expect([new Heir().say(), new Base().say(), Heir.prototype.say.name]).toEqual(["quiet!", "quiet", "say"]);
    undo();
    expect(Object.hasOwn(Heir.prototype, "say")).toBe(false);
  });
});

const STACKS = { instrumentAiSdk, instrumentLangChain, instrumentMastra, instrumentOpenAiAgents };

describe.each(Object.entries(STACKS))("%s()", (_name, instrument) => {
  const raise = () => {
    throw new Error("no");
  };
  const names = ["generateText", "tool", "Agent", "Runner", "ToolLoopAgent", "StructuredTool", "RunnableSequence"];
  const sealed = Object.freeze(Object.fromEntries(names.map((name) => [name, Object.freeze(() => {})])));

  it.each([
    ["nothing", undefined],
    ["a text", "exports"],
    ["another shape", { Agent: 7, tool: {}, StructuredTool: { prototype: null }, CompiledStateGraph: () => {} }],
    ["sealed", sealed],
    ["hostile", new Proxy({}, { get: raise, has: raise, getOwnPropertyDescriptor: raise, defineProperty: raise })],
  ])("leaves a module alone whose exports are %s", (_what, exports) => {
    instrument(exports)();
  });
});
