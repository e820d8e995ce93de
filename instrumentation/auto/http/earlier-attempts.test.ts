import { describe, expect, it } from "vitest";
import type { StepScope } from "../../run/run-scope.ts";
import { triesSoFar, type EndedTry } from "./earlier-attempts.ts";

const place = (): StepScope => ({ ordinals: new Map() }) as unknown as StepScope;

function ended(startedMillis: number, endedMillis: number, more: Partial<EndedTry> = {}): EndedTry {
  return { request: "r", startedMillis, endedMillis, status: 200, errorClass: null, saidEarlier: 0, ...more };
}
const busy = { status: 429, errorClass: "rate_limited" } as const;
const statuses = (tries: ReturnType<typeof triesSoFar>): string[] => tries.map(({ status }) => status);

describe("tries at one request", () => {
  it("are the ones that began after one had failed, with the pause between", () => {
    const scope = place();
    triesSoFar(scope, ended(0, 10, busy));
    triesSoFar(scope, ended(60, 70, busy));
    expect(triesSoFar(scope, ended(1_070, 1_080))).toEqual([
      { status: "error", errorClass: "rate_limited", waitMillis: 0 },
      { status: "error", errorClass: "rate_limited", waitMillis: 50 },
      { status: "ok", errorClass: null, waitMillis: 1_000 },
    ]);
    expect(statuses(triesSoFar(scope, ended(2_000, 2_010)))).toEqual(["ok"]);
  });

  it("are kept apart from other requests to the same place, and from those made elsewhere", () => {
    const scope = place();
    triesSoFar(scope, ended(0, 10, busy));
    expect(statuses(triesSoFar(scope, ended(20, 30, { request: "other" })))).toEqual(["ok"]);
    expect(statuses(triesSoFar(place(), ended(20, 30)))).toEqual(["ok"]);
    expect(statuses(triesSoFar(scope, ended(20, 30)))).toEqual(["error", "ok"]);
  });

  it("made side by side each follow up one that failed", () => {
    const scope = place();
    triesSoFar(scope, ended(0, 10, busy));
    triesSoFar(scope, ended(0, 12, busy));
    expect(statuses(triesSoFar(scope, ended(20, 30)))).toEqual(["error", "ok"]);
    expect(statuses(triesSoFar(scope, ended(21, 31)))).toEqual(["error", "ok"]);
    expect(statuses(triesSoFar(scope, ended(22, 32)))).toEqual(["ok"]);
  });

  it("do not include one that was still under way", () => {
    const scope = place();
    triesSoFar(scope, ended(0, 50, busy));
    expect(statuses(triesSoFar(scope, ended(20, 60)))).toEqual(["ok"]);
  });

  it("are counted by a client's own word where nobody saw them", () => {
    expect(triesSoFar(place(), ended(0, 10, { saidEarlier: 2 }))).toEqual([
      { status: "error", errorClass: "_OTHER", waitMillis: 0 },
      { status: "error", errorClass: "_OTHER", waitMillis: 0 },
      { status: "ok", errorClass: null, waitMillis: 0 },
    ]);
  });

  it("are told apart by a client's own word", () => {
    const scope = place();
    triesSoFar(scope, ended(0, 1, busy));
    triesSoFar(scope, ended(2, 3, { ...busy, saidEarlier: 1 }));
    triesSoFar(scope, ended(4, 5, { ...busy, request: "r", startedMillis: -1 }));
    expect(statuses(triesSoFar(scope, ended(10, 11, { saidEarlier: 2 })))).toEqual(["error", "error", "ok"]);
  });

  it.each([
    ["what was not there", { status: 404, errorClass: "not_found" }],
    ["what was not allowed", { status: 401, errorClass: "permission_denied" }],
    ["an answer given up half way", { status: 200, errorClass: "cancelled" }],
  ])("are none when an agent asks again for %s", (_what, first) => {
    const scope = place();
    triesSoFar(scope, ended(0, 10, first));
    expect(statuses(triesSoFar(scope, ended(20, 30)))).toEqual(["ok"]);
  });

  it("are some when nothing answered at all", () => {
    const scope = place();
    triesSoFar(scope, ended(0, 10, { status: undefined, errorClass: "cancelled" }));
    expect(statuses(triesSoFar(scope, ended(20, 30)))).toEqual(["error", "ok"]);
  });
});
