import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { Interaction } from "../cassette/cassette.ts";
import { recorded } from "../testing/interactions.ts";
import type { FixtureContent } from "./content.ts";
import { reduced } from "./reduction.ts";
import { elementsOf, partLevels, textsOf } from "./reductions-of.ts";
import { closedUp } from "./step-tree.ts";

const numbered = (...interactions: readonly Interaction[]): Interaction[] =>
  interactions.map((it, index) => ({ ...it, index }));
const contentWith = (input: JsonValue, ...interactions: readonly Interaction[]): FixtureContent => ({
  input,
  state: null,
  interactions: numbered(...interactions),
});
const placesOf = ({ interactions }: FixtureContent) => interactions.map(({ index, path }) => `${index} ${path}`);

describe("taking out a step", () => {
  const content = contentWith(
    null,
    recorded("plan#0/search#0", {}, 1),
    recorded("plan#0/search#1", {}, 2),
    recorded("search#0", {}, 3),
    recorded("plan#1/search#0", {}, 4),
    recorded("plan#10/search#0", {}, 5),
  );

  test("takes everything beneath it along, and later steps move up to where the agent will ask for them", () => {
    const rest = reduced(content, [{ type: "step", path: "plan#0" }]);
    expect(placesOf(rest)).toEqual(["0 search#0", "1 plan#0/search#0", "2 plan#9/search#0"]);
    expect(rest.interactions.map((it) => it.outcome === "returned" && it.result)).toEqual([3, 4, 5]);
  });

  test("leaves steps alone whose path only begins alike", () => {
    const rest = reduced(content, [{ type: "step", path: "plan#1" }]);
    expect(placesOf(rest)).toEqual(["0 plan#0/search#0", "1 plan#0/search#1", "2 search#0", "3 plan#9/search#0"]);
  });

  test("closes no gap that was there before: a step may make no recorded call", () => {
    const [first, , ...others] = content.interactions;
    expect(closedUp(content.interactions, [first as Interaction, ...others]).map((it) => it.path)).toEqual([
      "plan#0/search#0",
      "search#0",
      "plan#1/search#0",
      "plan#10/search#0",
    ]);
  });
});

describe("taking parts out of JSON", () => {
  test("takes items and members at any depth, several at once, and keeps what stands beside them", () => {
    const content = contentWith({ list: [1, 2, { a: 3, b: 4 }], "a/b": 5 }, recorded("t#0", {}, { x: [6, 7] }));
    const rest = reduced(content, [
      { type: "part", pointer: "/input/list/0" },
      { type: "part", pointer: "/input/list/2/a" },
      { type: "part", pointer: "/input/a~1b" },
      { type: "part", pointer: "/interactions/0/result/x/1" },
    ]);
    expect(rest.input).toEqual({ list: [2, { b: 4 }] });
    expect(rest.interactions[0]).toMatchObject({ result: { x: [6] } });
    expect(content.input).toEqual({ list: [1, 2, { a: 3, b: 4 }], "a/b": 5 });
  });

  test("keeps a recorded __proto__ an ordinary key", () => {
    const input = JSON.parse('{"__proto__": {"polluted": 1}, "other": 2}') as JsonValue;
    const rest = reduced(contentWith(input), [{ type: "part", pointer: "/input/other" }]);
    expect(JSON.stringify(rest.input)).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("never offers what the format needs: documents themselves, names, outcomes, arguments", () => {
    const content = contentWith({ a: 1 }, recorded("t#0", { asked: 1 }, { b: 2 }));
    expect(elementsOf(content)).toEqual([
      { type: "step", path: "t#0" },
      { type: "part", pointer: "/input/a" },
      { type: "part", pointer: "/interactions/0/result/b" },
    ]);
  });

  test("goes on into JSON that a text holds, to any depth", () => {
    const inner = JSON.stringify({ b: [1, 2] });
    const content = contentWith({ text: JSON.stringify({ a: inner, c: 3 }), other: "{not json}" });
    const parts = partLevels(content).flat();
    expect(parts.map((it) => it.pointer)).toEqual([
      "/input/text",
      "/input/other",
      "/input/text/(json)/a",
      "/input/text/(json)/c",
      "/input/text/(json)/a/(json)/b",
      "/input/text/(json)/a/(json)/b/0",
      "/input/text/(json)/a/(json)/b/1",
    ]);
    const rest = reduced(content, [
      { type: "part", pointer: "/input/text/(json)/c" },
      { type: "part", pointer: "/input/text/(json)/a/(json)/b/0" },
    ]);
    expect(rest.input).toEqual({ text: JSON.stringify({ a: JSON.stringify({ b: [2] }) }), other: "{not json}" });
  });

  test("leaves JSON in a text alone that has numbers JavaScript cannot hold", () => {
    expect(partLevels(contentWith('{"id": 12345678901234567890, "b": 1}')).flat()).toEqual([]);
  });

  test("cuts a text that holds JSON as a text, when both are asked for", () => {
    const content = contentWith(JSON.stringify({ long: "x".repeat(40) }));
    expect(textsOf(content).map((it) => it.pointer)).toEqual(["/input/(json)/long", "/input"]);
    expect(reduced(content, textsOf(content)).input).toBe("");
  });

  test("offers the recorded tries of a call as one part", () => {
    const attempts = [{ status: "ok" as const, error_class: null, wait_ms: 0 }];
    const content = contentWith(null, { ...recorded("t#0", {}, 1), attempts });
    expect(partLevels(content)).toEqual([[{ type: "part", pointer: "/interactions/0/attempts" }]]);
    expect(reduced(content, partLevels(content)[0] ?? []).interactions[0]).not.toHaveProperty("attempts");
  });
});

describe("cutting texts", () => {
  const pseudonym = "[redacted:email:0123456789ab]";

  test("offers only texts that pay, and never a part of what redaction put there", () => {
    const text = `a long text before ${pseudonym} and a long text after`;
    const content = contentWith({ short: "short", secret: pseudonym, text });
    const texts = textsOf(content);
    expect(texts.map((it) => [it.pointer, text.slice(it.from, it.to)])).toEqual([
      ["/input/text", "a long text before "],
      ["/input/text", " and a long text after"],
    ]);
    expect(reduced(content, texts).input).toEqual({ short: "short", secret: pseudonym, text: pseudonym });
  });

  const cutOf = (text: string, ...ranges: [number, number][]) =>
    reduced(
      contentWith(text),
      ranges.map(([from, to]) => ({ type: "text", pointer: "/input", from, to })),
    ).input;

  test("leaves no half of a character behind", () => {
    expect(cutOf("ab😀cd", [0, 3])).toBe("cd");
    expect(cutOf("ab😀cd", [3, 6])).toBe("ab");
    expect(cutOf("ab😀cd", [2, 4])).toBe("abcd");
  });

  test("cuts several ranges of one text, overlapping ones once", () => {
    const cut = (...ranges: [number, number][]) => cutOf("0123456789", ...ranges);
    expect(cut([0, 2], [8, 10])).toBe("234567");
    expect(cut([2, 6], [4, 8])).toBe("0189");
    expect(cut([2, 8], [3, 4])).toBe("0189");
  });

  test("offers the message of an error, whose name and class stay", () => {
    const { result: _, ...call } = recorded("t#0", {}, 1);
    const error = { name: "Error", message: "a message that is long enough", class: "timeout" };
    const content = contentWith(null, { ...call, outcome: "threw", error });
    expect(reduced(content, textsOf(content)).interactions[0]).toMatchObject({ error: { ...error, message: "" } });
  });
});

describe("cutting into a recorded HTTP answer", () => {
  const body = JSON.stringify({ rows: ["a", "ü"], more: 1 });
  const answer = (headers: string[][]): JsonValue => ({
    status: 200,
    status_text: "OK",
    headers,
    answered_ms: 1,
    chunks: [[1, "utf8", body]],
    end: "complete",
    ended_ms: 2,
  });
  const call = (result: JsonValue): Interaction => ({ ...recorded("GET host#0", {}, result), kind: "http" });
  const more = "/interactions/0/result/chunks/0/2/(json)/more";

  test("leaves it with the length it then has", () => {
    const content = contentWith(null, call(answer([["Content-Length", String(Buffer.byteLength(body))]])));
    const [cut] = reduced(content, [{ type: "part", pointer: more }]).interactions;
    const text = JSON.stringify({ rows: ["a", "ü"] });
    expect(cut).toMatchObject({
      result: { headers: [["Content-Length", String(Buffer.byteLength(text))]], chunks: [[1, "utf8", text]] },
    });
  });

  test("adds no length, and touches no answer that is not cut", () => {
    const head = call({ ...(answer([["content-length", "9000"]]) as object), chunks: [] });
    const content = contentWith(null, call(answer([["x-a", "b"]])), head);
    const [first, second] = reduced(content, [{ type: "part", pointer: more }]).interactions;
    expect(first).toMatchObject({ result: { headers: [["x-a", "b"]] } });
    expect(second).toMatchObject({ result: { headers: [["content-length", "9000"]] } });
  });
});
