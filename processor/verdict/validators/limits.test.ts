import { describe, expect, it } from "vitest";
import type { Attempt, RetriedExchange } from "../../../instrumentation/contract/evidence.ts";
import { closing, contract, evidence } from "../../testing/evidence.ts";
import { awaitsCalls } from "../awaits-calls.ts";
import { limits } from "./limits.ts";

const failed: Attempt = { status: "error", errorClass: "rate_limited", waitMillis: 100 };
const ok: Attempt = { status: "ok", errorClass: null, waitMillis: 100 };

function exchange(spanId: string, attempts: readonly Attempt[], request = "r"): RetriedExchange {
  return { spanId, name: "POST api", request, errorClass: attempts.at(-1)?.errorClass ?? null, attempts };
}

const reasonsOf = (retriedExchanges: readonly RetriedExchange[], maxRetries: number) =>
  limits.validate(evidence({ retriedExchanges }), contract({ limits: { maxRetries } })).reasons;

describe("the limit of retries", () => {
  const cameThrough = [exchange("a", [failed, failed]), exchange("b", [failed, failed, ok])];

  it("counts those that a client library makes without a word", () => {
    expect(reasonsOf(cameThrough, 2)).toEqual([]);
    expect(reasonsOf(cameThrough, 1)).toMatchObject([
      {
        code: "retried",
        clause: "/limits/maxRetries",
        evidence: [{ id: "a" }, { id: "b" }],
        message: 'the call of "POST api" succeeded after 2 failed tries, 1 retries are allowed',
      },
    ]);
  });

  it("tells a request that never came through", () => {
    expect(reasonsOf([exchange("a", [failed, failed])], 1)).toMatchObject([{ code: "retries_exhausted" }]);
  });

  it("holds for each request by itself", () => {
    expect(reasonsOf([exchange("a", [failed, ok], "one"), exchange("b", [failed, ok], "two")], 1)).toEqual([]);
  });
});

describe("a run that counted its exchanges", () => {
  it("awaits those that have not arrived", () => {
    const ended = closing({ exchangeCount: 2 });
    expect(awaitsCalls(evidence({ closing: ended, exchangeCount: 1 }))).toBe(true);
    expect(awaitsCalls(evidence({ closing: ended, exchangeCount: 2 }))).toBe(false);
  });
});
