import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { abortable } from "./probe-context.ts";

const unhandled: unknown[] = [];
const listener = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", listener);
});
afterEach(() => void process.off("unhandledRejection", listener));

describe("abortable()", () => {
  it("gives what the work gives", async () => {
    expect(await abortable(Promise.resolve(1), new AbortController().signal)).toBe(1);
    await expect(abortable(Promise.reject(new Error("no")), new AbortController().signal)).rejects.toThrow("no");
  });

  it.each(["before", "while"])(
    "leaves no failure of the work unhandled when it is aborted %s it is waited for",
    async (when) => {
      const controller = new AbortController();
      const { promise, reject } = Promise.withResolvers<never>();
      if (when === "before") controller.abort(new Error("aborted"));
      const waited = abortable(promise, controller.signal);
      controller.abort(new Error("aborted"));
      await expect(waited).rejects.toThrow("aborted");
      reject(new Error("late"));
      await nextTurn();
      await nextTurn();
      expect(unhandled).toEqual([]);
    },
  );
});
