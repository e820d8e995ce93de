import { expect, test } from "vitest";
import { createSessions } from "./sessions.ts";

function sessionsAt(limits = { maxSessions: 2, idleMillis: 100 }) {
  let time = 0;
  const closed: string[] = [];
  const sessions = createSessions<{ close(): Promise<void> }>(limits, () => time);
  const open = (id: string, holder = "me"): boolean => {
    const place = sessions.reserve();
    place?.fill(id, holder, { close: async () => void closed.push(id) });
    return place !== undefined;
  };
  return { sessions, closed, open, pass: (millis: number) => void (time += millis) };
}

test("no more sessions are opened than there is room for, and idle ones make room", () => {
  const { sessions, open, pass, closed } = sessionsAt();
  expect([open("a"), open("b"), open("c")]).toEqual([true, true, false]);
  pass(60);
  expect(sessions.find("b", "me")).toBeDefined();
  pass(60);
  expect(open("c")).toBe(true);
  expect(closed).toEqual(["a"]);
});

test("a place that was taken counts until it is given back", () => {
  const { sessions } = sessionsAt();
  const [one, two] = [sessions.reserve(), sessions.reserve()];
  expect(sessions.reserve()).toBeUndefined();
  one?.release();
  one?.release();
  expect(sessions.reserve()).toBeDefined();
  expect(sessions.reserve()).toBeUndefined();
  two?.release();
});

test("a session with a call under way is not idle, however long it takes", () => {
  const { sessions, open, pass, closed } = sessionsAt();
  open("a");
  const end = sessions.begin("a");
  pass(10_000);
  sessions.closeIdle();
  expect(closed).toEqual([]);
  end();
  pass(99);
  sessions.closeIdle();
  expect(closed).toEqual([]);
  pass(1);
  sessions.closeIdle();
  expect(closed).toEqual(["a"]);
});

test("a session is not found with another credential", () => {
  const { sessions, open } = sessionsAt();
  open("a");
  expect(sessions.find("a", "somebody else")).toBeUndefined();
  expect(sessions.find("a", "me")).toBeDefined();
  expect(sessions.find("__proto__", "me")).toBeUndefined();
});
