import { expect, test } from "vitest";
import { errorClassOf } from "../../instrumentation/capture/error-class.ts";
import { CassetteMissError, replayedError } from "./replayed-error.ts";

test.each([
  ["dependency_unavailable", "rate_limited", "timeout", "cancelled", "not_found"],
  ["permission_denied", "storage_full", "bad_request", "invalid_output"],
])("a replayed error is of the class it was recorded with: %s, %s, %s …", (...classes) => {
  for (const errorClass of classes) {
    const name = errorClass === "invalid_output" ? "SyntaxError" : "Error";
    expect(errorClassOf(replayedError({ name, message: "m", class: errorClass }))).toBe(errorClass);
  }
});

test("a replayed error of an unknown class keeps its name and message, and gains nothing", () => {
  const error = replayedError({ name: "FlightSoldOut", message: "no seats", class: "constructor" });
  expect([error.name, error.message, Object.keys(error)]).toEqual(["FlightSoldOut", "no seats", ["name"]]);
  expect(errorClassOf(error)).toBe("FlightSoldOut");
});

test("a miss has a class of its own", () => {
  expect(errorClassOf(new CassetteMissError("x"))).toBe("CassetteMissError");
});
