import { describe, expect, test } from "vitest";
import type { ArtifactObservation, ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import { artifact, closing, contract, evidence, toolCall } from "../../testing/evidence.ts";
import { judge } from "../judge.ts";

const promise = contract({
  claims: [
    { tool: "claim", ids: "/items/*/id", artifact: "receipt:{id}", releases: [{ tool: "release", reason: "/why" }] },
  ],
});

let spans = 0;
const call = (name: string, given: JsonValue, result: JsonValue = null, more: Partial<ToolCallEvidence> = {}) =>
  toolCall({ spanId: `s${String(spans++).padStart(4, "0")}`, name, arguments: given, result, ...more });
const claim = (...ids: (string | number)[]) => call("claim", {}, { items: ids.map((id) => ({ id })) });
const release = (id: string, why = "no stock") => call("release", { id, why });
const receipt = (id: string, changes: Partial<ArtifactObservation> = {}) =>
  artifact({ name: `receipt:${id}`, ref: `receipts/${id}.json`, ...changes });

const judged = (toolCalls: ToolCallEvidence[], artifacts: ArtifactObservation[] = []) =>
  judge(evidence({ toolCalls, closing: closing({ artifacts, toolCallCount: toolCalls.length }) }), promise);
const codes = (...given: Parameters<typeof judged>) => judged(...given).reasons.map((reason) => reason.code);

describe("what a run takes for itself", () => {
  test("ends in its artifact or in a release, in any order", () => {
    const verdict = judged([release("b"), claim("a", "b"), claim(7)], [receipt("7"), receipt("a")]);
    expect(verdict.status).toBe("passed");
    expect(verdict.proofs.map((proof) => proof.observed).sort()).toEqual([
      "7 ended in receipts/7.json bytes=10",
      "a ended in receipts/a.json bytes=10",
      "b released",
    ]);
  });

  test("is missed when it was dropped, whatever the agent says and although a dependency was down", () => {
    const down = toolCall({ spanId: "x", name: "load", sideEffect: "read", errorClass: "timeout" });
    const toolCalls = [claim("a"), claim("b"), down];
    const said = closing({ artifacts: [receipt("a")], toolCallCount: 3, claim: { outcome: "blocked", detail: "" } });
    const verdict = judge(evidence({ toolCalls, closing: said }), promise);
    expect(verdict).toMatchObject({ status: "failed", failureClass: "claim_unresolved" });
    expect(verdict.failureReason).toContain('"b" was taken by claim');
    expect(verdict.reasons[0]?.clause).toBe("/claims/0");
  });

  test("is taken once more after a release, and must end once more", () => {
    expect(codes([claim("a"), release("a"), claim("a")])).toEqual(["claim_unresolved"]);
    expect(codes([claim("a"), release("a"), claim("a"), release("a")])).toEqual([]);
    expect(codes([claim("a"), release("a"), claim("a")], [receipt("a")])).toEqual([]);
  });

  test.each([
    ["is gone", receipt("a", { state: "missing", bytes: null, detail: "gone" }), "claim_unresolved"],
    ["is empty", receipt("a", { bytes: 0 }), "claim_unresolved"],
    ["was not re-read", receipt("a", { state: "unchecked", bytes: null }), "evidence_incomplete"],
  ])("is not ended by an artifact that %s", (_, seen, code) => {
    expect(codes([claim("a")], [seen])).toEqual([code]);
  });

  test("is not ended by the artifact of another item", () => {
    const wrong = judged([claim("a")], [receipt("b")]);
    expect(wrong).toMatchObject({ status: "failed", failureClass: "unclaimed_item" });
    expect(wrong.reasons.map((reason) => reason.code)).toEqual(["unclaimed_item", "claim_unresolved"]);
    const shared = [receipt("a", { ref: "r.json" }), receipt("b", { ref: "r.json" })];
    expect(codes([claim("a", "b")], shared)).toEqual(["claim_unresolved", "claim_unresolved"]);
  });

  test("is not released by a call that failed", () => {
    expect(codes([claim("a"), call("release", { id: "a", why: "x" }, null, { errorClass: "timeout" })])).toEqual([
      "claim_unresolved",
    ]);
  });

  test("is unknown when a release cannot be read, or nobody knows whether it was made", () => {
    const unread = { ...release("a"), arguments: undefined };
    const unseen = { ...release("a"), isInferred: true as const, errorClass: "no_result" };
    for (const one of [unread, unseen]) {
      expect(judged([claim("a"), one])).toMatchObject({ status: "inconclusive", failureClass: "evidence_incomplete" });
    }
  });

  test("needs a reason when it is released", () => {
    expect(codes([claim("a"), release("a", " ")])).toEqual(["release_unexplained"]);
    expect(codes([claim("a"), call("release", { id: "a" })])).toEqual(["release_unexplained"]);
  });

  test("may be nothing: an empty queue was looked into", () => {
    expect(judged([claim()]).status).toBe("passed");
    expect(judged([call("claim", {}, { items: [{ id: null }, { id: "" }] })]).status).toBe("passed");
  });

  test("is unknown when the result does not say what was taken", () => {
    expect(codes([call("claim", {}, { items: [{ id: { n: 1 } }] })])).toEqual(["evidence_incomplete"]);
    expect(codes([{ ...claim("a"), result: undefined }])).toEqual(["evidence_incomplete"]);
  });

  test("is never confused with what objects and lists have by themselves", () => {
    const odd = contract({ claims: [{ tool: "claim", ids: "/constructor", releases: [{ tool: "release" }] }] });
    const lists = contract({ claims: [{ tool: "claim", ids: "/items/length", releases: [{ tool: "release" }] }] });
    for (const one of [odd, lists]) expect(judge(evidence({ toolCalls: [claim("a")] }), one).reasons).toEqual([]);
  });
});
