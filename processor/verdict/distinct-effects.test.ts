import { describe, expect, test } from "vitest";
import type { ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import { contract, evidence, toolCall } from "../testing/evidence.ts";
import { judge } from "./judge.ts";

const promise = (countBy?: "reference") =>
  contract({
    sideEffects: {
      expected: [
        {
          tool: "charge",
          arguments: { invoice: "i-1" },
          ignore: ["/key"],
          confirmedBy: "reference",
          ...(countBy && { countBy }),
        },
      ],
    },
  });

const charge = (spanId: string, key: string, reference: string | null): ToolCallEvidence =>
  toolCall({ spanId, name: "charge", sideEffect: "money", arguments: { invoice: "i-1", key }, reference });

const codes = (calls: ToolCallEvidence[], countBy?: "reference") =>
  judge(evidence({ toolCalls: calls }), promise(countBy)).reasons.map((reason) => reason.code);

describe("exactly once", () => {
  const again = [charge("a", "k", "ch_1"), charge("b", "k", "ch_1")];

  test("is one effect when a request came again with its key and got its reference again", () => {
    expect(codes(again, "reference")).toEqual([]);
    expect(codes(again.toReversed(), "reference")).toEqual([]);
  });

  test("is broken by it where calls are counted", () => {
    expect(codes(again)).toEqual(["side_effect_repeated"]);
  });

  test.each([
    ["another reference", [charge("a", "k", "ch_1"), charge("b", "k", "ch_2")], ["side_effect_repeated"]],
    [
      "another key, though the reference is the same",
      [charge("a", "k", "r"), charge("b", "l", "r")],
      ["side_effect_repeated"],
    ],
    [
      "no reference",
      [charge("a", "k", null), charge("b", "k", null)],
      ["side_effect_repeated", "side_effect_unconfirmed"],
    ],
  ])("is broken by a second call with %s", (_, calls, wanted) => {
    expect(codes(calls, "reference")).toEqual(wanted);
  });
});
