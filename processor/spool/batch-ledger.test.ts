import { describe, expect, it } from "vitest";
import { createBatchLedger } from "./batch-ledger.ts";

const start = { position: { segment: 1, offset: 0 }, batches: [] };
const a = { segment: 1, offset: 0, end: 10 };
const b = { segment: 1, offset: 10, end: 20 };
const c = { segment: 2, offset: 0, end: 5 };

function ledgerWith(...batches: (typeof a)[]) {
  const ledger = createBatchLedger(start);
  for (const batch of batches) ledger.takeNew(batch);
  return ledger;
}

describe("a ledger", () => {
  it("stays before the first batch that is not finished", () => {
    const ledger = ledgerWith(a, b, c);
    ledger.finish(b);
    expect(ledger.position).toEqual({ segment: 1, offset: 0 });
    ledger.finish(a);
    expect(ledger.position).toEqual({ segment: 2, offset: 0 });
    ledger.finish(c);
    expect(ledger.position).toEqual({ segment: 2, offset: 5 });
  });

  it("hands out again what was given back, once", () => {
    const ledger = ledgerWith(a, b);
    ledger.giveBack(a);
    expect(ledger.takeWaiting()).toEqual(a);
    expect(ledger.takeWaiting()).toBeUndefined();
  });

  it("finishes a batch once and only while it is handed out", () => {
    const ledger = ledgerWith(a);
    ledger.giveBack(a);
    expect(ledger.finish(a)).toBe(false);
    ledger.takeWaiting();
    expect([ledger.finish(a), ledger.finish(a)]).toEqual([true, false]);
  });

  it("comes back from its checkpoint with unfinished batches waiting and finished ones gone", () => {
    const ledger = ledgerWith(a, b, c);
    ledger.finish(b);
    const restored = createBatchLedger(ledger.checkpoint());
    expect([restored.takeWaiting(), restored.takeWaiting(), restored.takeWaiting()]).toEqual([a, c, undefined]);
    expect(restored.cursor).toEqual({ segment: 2, offset: 5 });
  });

  it("shortens a batch to what can be read and drops an empty one", () => {
    const ledger = ledgerWith(a, b);
    ledger.shorten(a, 4);
    ledger.giveBack(a);
    expect(ledger.takeWaiting()).toEqual({ ...a, end: 4 });
    ledger.shorten(a, 0);
    expect(ledger.position).toEqual({ segment: 1, offset: 10 });
  });
});
