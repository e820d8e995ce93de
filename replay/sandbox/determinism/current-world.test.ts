import { beforeEach, describe, expect, test } from "vitest";
import type { ActiveRun } from "../../../instrumentation/run/active-run.ts";
import { inScope, newScope } from "../../../instrumentation/run/run-scope.ts";
import { asideFromAgent, childWorld, enterWorld, frozenMillis, randomStream } from "./current-world.ts";
import { parseWorld, worldText } from "./replay-world.ts";

const world = { startUnixMillis: 1_760_000_000_000, seed: "s", origin: "" };
const run = { rootSpanId: "", path: "", contract: { agent: "a" } } as ActiveRun;

beforeEach(() => enterWorld(world));

/** What the step at a path draws, one number at a time. */
const step = (path: string) => {
  const scope = newScope(run, path);
  return (kind: "number" | "uuid" = "number"): number => inScope(scope, () => randomStream(kind).float());
};

describe("random values", () => {
  test("belong to the step, in whatever order steps draw", () => {
    const [a, b] = [step("a#0"), step("b#0")];
    const first = { a: [a(), a(), a()], b: [b(), b(), b()] };
    enterWorld(world);
    const [later, again] = [step("b#0"), step("a#0")];
    const mixed = [again(), later(), later(), again(), later(), again()];
    expect(mixed).toEqual([first.a[0], first.b[0], first.b[1], first.a[1], first.b[2], first.a[2]]);
    expect(new Set(mixed).size).toBe(6);
  });

  test("go on where a step is entered again, and differ between agents and outside of runs", () => {
    const twice = [step("a#0")(), step("a#0")()];
    const other = inScope(newScope({ ...run, contract: { ...run.contract, agent: "b" } }, "a#0"), () =>
      randomStream("number").float(),
    );
    expect(new Set([...twice, other, randomStream("number").float()]).size).toBe(4);
  });

  test("of one kind do not move those of another", () => {
    const a = step("a#0");
    const number = a();
    enterWorld(world);
    const again = step("a#0");
    again("uuid");
    expect(again()).toBe(number);
  });

  test("stay where they are when the sending of a span draws", () => {
    const a = step("a#0");
    const numbers = [a(), a()];
    enterWorld(world);
    const again = step("a#0");
    const sent = inScope(newScope(run, "a#0"), () => asideFromAgent(() => randomStream("number").float()));
    expect([again(), again()]).toEqual(numbers);
    expect(numbers).not.toContain(sent);
  });

  test("are spread evenly", () => {
    const stream = randomStream("number");
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i++) buckets[Math.floor(stream.float() * 10)]! += 1;
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  });
});

describe("a world", () => {
  test("is handed to what it starts, each with an origin of its own", () => {
    const children = [childWorld(), childWorld(), inScope(newScope(run, "a#0"), childWorld)];
    expect(new Set(children.map((child) => child.origin)).size).toBe(3);
    for (const child of children) expect(child).toMatchObject({ seed: "s", startUnixMillis: frozenMillis() });
  });

  test("is read back from its text, and from nothing else", () => {
    expect(parseWorld(worldText({ ...world, origin: '["x"]' }))).toEqual({ ...world, origin: '["x"]' });
    for (const text of [undefined, "", "{", "null", "[]", '[1.5,"s",""]', '["0","s",""]', '[0,"s"]']) {
      expect(parseWorld(text)).toBeUndefined();
    }
  });
});
