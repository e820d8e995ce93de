import { Session } from "chdb";
import { afterAll, describe, expect, it } from "vitest";
import { MAX_TIME_UNIX_NANO, MIN_TIME_UNIX_NANO } from "./limits.ts";

/** The limits on times are what the real engine does with decimal text; when it changes, so may they. */

const session = new Session();
afterAll(() => session.cleanup());

const stored = (unixNano: bigint): string =>
  session
    .query(
      `SELECT toUnixTimestamp64Nano(t) FROM format(JSONEachRow, 't DateTime64(9)', '{"t":"${unixNano}"}')`,
      "TabSeparated",
    )
    .trim();

describe("a time as decimal nanoseconds in JSONEachRow", () => {
  it.each([MIN_TIME_UNIX_NANO, MIN_TIME_UNIX_NANO + 1n, 1_795_242_245_995_000_001n, MAX_TIME_UNIX_NANO])(
    "is stored exactly: %s",
    (unixNano) => {
      expect(stored(unixNano)).toBe(unixNano.toString());
    },
  );

  it.each([0n, 1_234n, MIN_TIME_UNIX_NANO - 1n])("fails the insert below the limit: %s", (unixNano) => {
    expect(() => stored(unixNano)).toThrow(/CANNOT_PARSE_DATETIME|DECIMAL_OVERFLOW/);
  });

  it("is stored as another time when it is a small number", () => {
    expect(stored(5n)).not.toBe("5");
  });
});
