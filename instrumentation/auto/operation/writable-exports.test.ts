import { createRequire } from "node:module";
import { types } from "node:util";
import { describe, expect, it } from "vitest";
import { patch } from "./patch.ts";
import { writableExports } from "./writable-exports.ts";

const shout = () => "loud";

describe("exports of a module", () => {
  it("that a bundler closed can be patched, and the rest of them stays live", () => {
    let count = 1;
    const closed = Object.defineProperties(
      {},
      {
        version: { value: 7 },
        say: { enumerable: true, get: () => () => "quiet" },
        count: { enumerable: true, get: () => count },
      },
    );
    const open = writableExports(closed) as { say(): string; count: number; version: number };
    const undo = patch(open, "say", () => shout);
    count = 2;
    expect([open.say(), open.count, open.version, Object.keys(open)]).toEqual(["loud", 2, 7, ["say", "count"]]);
    undo();
    expect(open.say()).toBe("quiet");
  });

  it("of an ES module that was required can be patched", () => {
    const required: unknown = createRequire(import.meta.url)("ai");
    expect(types.isModuleNamespaceObject(required)).toBe(true);
    const open = writableExports(required) as { generateText(): string; tool: unknown };
    patch(open, "generateText", () => shout);
    expect([open.generateText(), open.tool]).toEqual(["loud", (required as typeof open).tool]);
  });

  it("that are open, or no object, come back as they are", () => {
    const open = { say: () => "quiet" };
    expect([writableExports(open), writableExports(shout)]).toEqual([open, shout]);
    expect(writableExports(open)).toBe(open);
  });
});
