import { expect, test } from "vitest";
import { type Attempt, MAX_LINES } from "./attempt.ts";
import { createLedger } from "./ledger.ts";

const attempt: Attempt = { layer: "system", kind: "network", operation: "socket", target: "inet stream", counts: true };

test("what the canary tried is kept apart from what the agent tried", async () => {
  const ledger = createLedger();
  ledger.fromSystem({ type: "attempt", attempt });
  ledger.fromSystem({ type: "agent_begins" });
  await ledger.agentBegins;
  ledger.fromSystem({ type: "attempt", attempt: { ...attempt, operation: "connect" } });
  expect(ledger.canary()).toEqual([attempt]);
  expect(ledger.attempts()).toMatchObject([{ operation: "connect" }]);
});

test("the agent's process cannot write in the name of the layer below", () => {
  const ledger = createLedger();
  ledger.fromCode(attempt);
  expect(ledger.attempts()).toEqual([{ ...attempt, layer: "code" }]);
});

test("what cannot be read is a fault, not nothing", () => {
  const ledger = createLedger();
  ledger.fromSystem({ type: "attempt" });
  ledger.fromCode({ operation: "socket" });
  ledger.fromSystem({ type: "fault", message: "no memory" });
  expect(ledger.faults()).toHaveLength(3);
});

test("it is bounded, and says when it is full", () => {
  const ledger = createLedger();
  for (let i = 0; i < MAX_LINES; i++) ledger.fromCode(attempt);
  expect(ledger.isFull()).toBe(false);
  ledger.fromCode(attempt);
  expect(ledger.isFull()).toBe(true);
  expect(ledger.attempts()).toHaveLength(MAX_LINES);
});
