import { expect, test } from "vitest";
import { isoFromNanos } from "./run-record-json.ts";
import { parseSince } from "./since.ts";

const now = Date.parse("2026-01-02T00:00:00Z");

test.each([
  ["30m", now - 1_800_000],
  ["24h", now - 86_400_000],
  ["7d", now - 7 * 86_400_000],
  ["2026-01-01", Date.parse("2026-01-01")],
  ["2026-01-01T12:00:00Z", Date.parse("2026-01-01T12:00:00Z")],
])("%s is a point in time", (text, time) => {
  expect(parseSince(text, now)).toBe(time);
});

test.each(["", "soon", "5", "1w", "-3h", "99999999999h", "12"])("%j is none", (text) => {
  expect(() => parseSince(text, now)).toThrow("--since");
});

test("times of the record keep their nanoseconds", () => {
  expect(isoFromNanos("1760000001000000042")).toBe("2025-10-09T08:53:21.000000042Z");
});
