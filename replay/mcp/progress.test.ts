import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startProgress, type ProgressRequest } from "./progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function requestWith(progressToken?: string) {
  const told: { progress: number; message: string }[] = [];
  const request: ProgressRequest = {
    _meta: { progressToken },
    sendNotification: async ({ params }) => void told.push(params),
  };
  return { told, request };
}

test("a client that asks for it hears of a long call again and again, with a figure that grows", () => {
  const { told, request } = requestWith("t");
  const progress = startProgress("certify_fixture", request);
  progress.say("broken 1/3");
  progress.say("broken 2/3");
  vi.advanceTimersByTime(15_000);
  progress.stop();
  vi.advanceTimersByTime(60_000);
  expect(told).toHaveLength(5);
  expect(told[0]?.message).toMatch(/^certify_fixture: broken 1\/3, \d+ s$/);
  expect(told[4]?.message).toMatch(/broken 2\/3/);
  const figures = told.map(({ progress: figure }) => figure);
  expect(figures).toEqual([...new Set(figures)].sort((a, b) => a - b));
});

test("a client that does not ask hears nothing, and one that is gone disturbs nobody", async () => {
  const { told, request } = requestWith();
  const silent = startProgress("gate", request);
  silent.say("going on");
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
  const gone = startProgress("gate", {
    _meta: { progressToken: 1 },
    sendNotification: () => Promise.reject(new Error("closed")),
  });
  gone.say("going on");
  await vi.advanceTimersByTimeAsync(10_000);
  gone.stop();
});
