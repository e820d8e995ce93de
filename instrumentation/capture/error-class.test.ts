import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorClassOf, thrownText } from "./error-class.ts";

const raise = (): never => {
  throw new Error("from a getter");
};
const hostile = new Proxy({}, { get: raise, getPrototypeOf: raise, has: raise, ownKeys: raise });

describe("errorClassOf()", () => {
  it.each<[string, unknown]>([
    ["dependency_unavailable", Object.assign(new Error(), { code: "ECONNREFUSED" })],
    ["dependency_unavailable", new TypeError("fetch failed", { cause: { code: "ENOTFOUND" } })],
    ["dependency_unavailable", { status: 503 }],
    ["timeout", new DOMException("late", "TimeoutError")],
    ["timeout", { statusCode: 504 }],
    ["cancelled", new DOMException("stop", "AbortError")],
    ["rate_limited", Object.assign(new Error(), { status: 429 })],
    ["permission_denied", { status: 403 }],
    ["not_found", Object.assign(new Error(), { code: "ENOENT" })],
    ["bad_request", { status: 422 }],
    ["invalid_output", new SyntaxError("Unexpected token")],
    ["timeout", Object.assign(new Error(), { status: 200, name: "TimeoutError" })],
    ["TypeError", new TypeError("x")],
    ["TypeError", runInNewContext("new TypeError('another realm')")],
    ["invalid_output", runInNewContext("new SyntaxError('another realm')")],
    ["PaymentError", Object.assign(new Error(), { name: "PaymentError" })],
    ["_OTHER", Object.assign(new Error(), { name: "user 4711 was not found" })],
    ["_OTHER", Object.assign(new Error(), { name: "x".repeat(100) })],
    ["Error", Object.assign(new Error(), { code: "constructor" })],
    ["_OTHER", "text"],
    ["_OTHER", undefined],
    ["_OTHER", null],
    ["_OTHER", hostile],
  ])("is %s", (expected, thrown) => {
    expect(errorClassOf(thrown)).toBe(expected);
  });

  it("follows a chain of causes only so far, and not in circles", () => {
    const circle = new Error("a");
    circle.cause = circle;
    expect(errorClassOf(circle)).toBe("Error");
    const chain = (depth: number): unknown =>
      depth === 0 ? { status: 429 } : new Error("x", { cause: chain(depth - 1) });
    expect(errorClassOf(chain(3))).toBe("rate_limited");
    expect(errorClassOf(chain(4))).toBe("Error");
  });
});

describe("thrownText()", () => {
  it("gives name and message of anything and never throws; so does the class", () => {
    expect(thrownText(new TypeError("x"))).toEqual({ name: "TypeError", message: "x" });
    expect(thrownText("text")).toEqual({ name: "Error", message: "text" });
    for (const thrown of [hostile, Object.create(null), Symbol("s"), { message: 5, name: 6 }]) {
      expect(thrownText(thrown)).toEqual({ name: "Error", message: expect.any(String) });
    }
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
        expect(errorClassOf(thrown)).toMatch(/^[A-Za-z_][\w.]{0,63}$/);
        expect(typeof thrownText(thrown).message).toBe("string");
      }),
    );
  });
});
