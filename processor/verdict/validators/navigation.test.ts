import { describe, expect, test } from "vitest";
import type { ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import { closing, contract, evidence, toolCall } from "../../testing/evidence.ts";
import { judge } from "../judge.ts";

const promise = contract({
  navigation: {
    origins: ["http://login.example"],
    lease: { tool: "lease", release: { tool: "release" } },
    visits: [{ tool: "go", asked: "/url", landed: "/visited/*" }],
  },
});

const at = (time: number, name: string, given: JsonValue, result: JsonValue = null): ToolCallEvidence =>
  toolCall({ spanId: `s${time}`, name, sideEffect: "browser", arguments: given, result, startUnixNano: String(time) });
const lease = (time: number, ...origins: string[]) => at(time, "lease", {}, { lease: `L${time}`, origins });
const release = (time: number, id: string) => at(time, "release", { lease: id });
const go = (time: number, url: string, ...visited: string[]) =>
  at(time, "go", { url }, { visited: visited.length === 0 ? [url] : visited });

const judged = (...toolCalls: ToolCallEvidence[]) => judge(evidence({ toolCalls }), promise);
const codes = (...calls: ToolCallEvidence[]) => judged(...calls).reasons.map((reason) => reason.code);
const SHOP = "https://shop.example";

describe("a run that goes somewhere", () => {
  test("passes when it stays within its leases and gives them back, in whatever order its spans came", () => {
    const verdict = judged(release(9, "L2"), go(5, `${SHOP}/a?b=1`), lease(2, SHOP), go(10, "http://login.example/x"));
    expect(verdict.status).toBe("passed");
    expect(verdict.proofs.map((proof) => proof.observed)).toEqual(["complete ledger of 2 visits under 1 leases"]);
  });

  test.each([
    ["another host", "https://partner.example/"],
    ["another scheme", "http://shop.example/"],
    ["another port", "https://shop.example:8443/"],
    ["a user name that looks like the host", "https://shop.example@evil.example/"],
    ["the machine's files", "file:///etc/passwd"],
    ["no URL at all", "shop.example"],
  ])("fails for %s", (_, url) => {
    const verdict = judged(lease(1, SHOP), go(2, url), release(3, "L1"));
    expect(verdict).toMatchObject({ status: "failed", failureClass: "origin_not_leased" });
  });

  test("fails for where a redirect led, on the way too", () => {
    const calls = [lease(1, SHOP), go(2, `${SHOP}/go`, `${SHOP}/go`, "https://ads.example/", `${SHOP}/b`)];
    const verdict = judged(...calls, release(3, "L1"));
    expect(verdict.failureReason).toBe('"go" went to https://ads.example, which was not leased');
  });

  test("fails before its lease and after it", () => {
    expect(codes(go(1, SHOP), lease(2, SHOP), release(3, "L2"))).toEqual(["origin_not_leased"]);
    expect(codes(lease(1, SHOP), release(2, "L1"), go(10, SHOP))).toEqual(["origin_not_leased"]);
    // Texts of numbers: 9 comes before 10.
    expect(codes(lease(9, SHOP), go(10, SHOP), release(11, "L9"))).toEqual([]);
  });

  test("fails for a visit that failed, unless the tool itself refused to go", () => {
    const failed = (errorClass: string) => ({ ...go(2, "https://partner.example/"), result: undefined, errorClass });
    expect(codes(lease(1, SHOP), failed("timeout"), release(3, "L1"))).toEqual(["origin_not_leased"]);
    expect(codes(lease(1, SHOP), failed("permission_denied"), release(3, "L1"), go(2, "about:blank"))).toEqual([]);
    const nowhere = { ...go(2, "kettle"), result: undefined, errorClass: "bad_request" };
    expect(codes(lease(1, SHOP), nowhere, release(3, "L1"))).toEqual([]);
  });

  test("fails for a lease that is kept, also when another one was released", () => {
    const kept = judged(lease(1, SHOP), lease(2, SHOP), go(3, SHOP), release(4, "L1"));
    expect(kept).toMatchObject({ status: "failed", failureClass: "lease_not_released" });
    expect(kept.failureReason).toContain('"L2"');
    const failed = { ...release(4, "L1"), errorClass: "timeout" };
    expect(codes(lease(1, SHOP), go(3, SHOP), failed)).toEqual(["lease_not_released"]);
  });

  test("is unknown when where it went was not captured", () => {
    const unseen = { ...go(2, SHOP), arguments: undefined };
    expect(codes(lease(1, SHOP), unseen, release(3, "L1"))).toEqual(["evidence_incomplete"]);
    expect(codes(lease(1, SHOP), at(2, "go", { url: SHOP }, { visited: [] }), release(3, "L1"))).toEqual([
      "evidence_incomplete",
    ]);
  });

  test("is unknown when nobody knows whether a call was made, or which lease it gave back", () => {
    const unseen = { isInferred: true as const, errorClass: "no_result", result: undefined };
    const visits = [lease(1, SHOP), { ...go(2, "https://partner.example/"), ...unseen }, release(3, "L1")];
    const distinct = (...calls: ToolCallEvidence[]) => [...new Set(codes(...calls))];
    expect(distinct(...visits)).toEqual(["evidence_incomplete"]);
    for (const more of [unseen, { arguments: undefined }]) {
      expect(distinct(lease(1, SHOP), go(2, SHOP), { ...release(3, "L1"), ...more })).toEqual(["evidence_incomplete"]);
    }
  });

  test("is not proven by an incomplete list of visits", () => {
    const toolCalls = [lease(1, SHOP), go(2, SHOP), release(3, "L1")];
    const verdict = judge(evidence({ toolCalls, closing: closing({ toolCallCount: 4 }) }), promise);
    expect(verdict.proofs).toEqual([]);
    expect(verdict.status).toBe("inconclusive");
  });

  test("compares redacted hosts by their pseudonyms", () => {
    const host = (hex: string) => `https://[redacted:token:${hex}].example`;
    const [a, b] = [host("0123456789ab"), host("ffffffffffff")];
    expect(codes(lease(1, a), go(2, `${a}/x`), release(3, "L1"))).toEqual([]);
    expect(codes(lease(1, a), go(2, `${b}/x`), release(3, "L1"))).toEqual(["origin_not_leased"]);
  });
});
