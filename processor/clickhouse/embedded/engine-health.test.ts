import { describe, expect, it } from "vitest";

import { createEngineHealth } from "./engine-health.ts";
import type { FromEngine, ToEngine } from "./engine-messages.ts";

const LIMITS = { silentAfterMillis: 10_000, stuckAfterMillis: 30_000, maxRssBytes: 1_000, mayHeal: () => true };

/** A child whose answers are written by the test, on a clock of the test's own. */
function watchedChild() {
  let time = 0;
  let listener: (message: FromEngine) => void = () => {};
  const asked: ToEngine[] = [];
  const child = {
    send: (message: ToEngine) => void asked.push(message),
    onMessage: (on: typeof listener) => (listener = on),
  };
  const health = createEngineHealth(
    { send: child.send, onMessage: (on) => void child.onMessage(on) },
    { ...LIMITS, now: () => time },
  );
  const answer = (what: "alive" | "answered", rssBytes = 500): void => {
    const last = asked.findLast((message) => message.type === "probe" && (what === "alive" || message.statement));
    if (last?.type !== "probe") throw new Error("nothing was asked");
    listener(what === "alive" ? { type: what, id: last.id, rssBytes } : { type: what, id: last.id });
  };
  /** One second passes; then the supervisor looks, and the child gives these answers. */
  const second = (...answers: ("alive" | "answered")[]) => {
    time += 1_000;
    const found = health.check();
    if (found === undefined) for (const what of answers) answer(what);
    return found;
  };
  const seconds = (count: number, ...answers: ("alive" | "answered")[]) =>
    Array.from({ length: count }, () => second(...answers)).findLast((found) => found !== undefined);
  return { health, asked, answer, second, seconds, sleep: (millis: number) => (time += millis) };
}

describe("the health of the engine's process", () => {
  it("is good while it executes statements", () => {
    const { health, seconds } = watchedChild();
    expect(seconds(100, "alive", "answered")).toBeUndefined();
    expect(health.isWell()).toBe(true);
    expect(health).toMatchObject({ rssBytes: 500, statementMillis: 0 });
  });

  it("is silent after ten seconds without a sign of life, and not earlier", () => {
    const { health, second, seconds } = watchedChild();
    second("alive", "answered");
    expect(seconds(10)).toBeUndefined();
    expect(health.isWell()).toBe(false);
    expect(health.isSilent()).toBe(true);
    expect(second()).toBe("silent");
  });

  it("is stuck when the event loop answers and a statement does not end", () => {
    const { health, asked, seconds } = watchedChild();
    expect(seconds(31, "alive")).toBeUndefined();
    expect(health.isWell()).toBe(false);
    expect(health.isSilent()).toBe(false);
    expect(seconds(1, "alive")).toBe("stuck");
    expect(asked.filter((message) => message.type === "probe" && message.statement)).toHaveLength(1);
  });

  it("is not stuck when slow statements end", () => {
    const { seconds } = watchedChild();
    for (let round = 0; round < 5; round++) {
      expect(seconds(25, "alive")).toBeUndefined();
      expect(seconds(1, "alive", "answered")).toBeUndefined();
    }
  });

  it("is ill over its memory", () => {
    const { answer, second } = watchedChild();
    second("alive", "answered");
    second();
    answer("alive", 1_001);
    expect(second()).toBe("memory");
  });

  it("is not blamed for time in which the supervisor itself stood still", () => {
    const { sleep, second, seconds } = watchedChild();
    second("alive");
    sleep(3_600_000);
    expect(second("alive", "answered")).toBeUndefined();
    expect(seconds(5, "alive", "answered")).toBeUndefined();
    expect(seconds(12)).toBe("silent");
  });
});
