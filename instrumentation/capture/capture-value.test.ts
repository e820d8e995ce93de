import { describe, expect, it } from "vitest";
import { sha256Hex } from "../json/canonical.ts";
import { captureValue, sha256Of } from "./capture-value.ts";
import { createRedactor } from "./redactor.ts";

const redactor = createRedactor({ key: "k" });

describe("captureValue", () => {
  it("keeps a harmless value whole, its keys in the order they came, and hashes it in any order alike", () => {
    const captured = captureValue({ b: "x", a: [1, undefined] }, { redactor });
    expect(captured).toEqual({ text: '{"b":"x","a":[1,null]}', form: "full", bytes: 22 });
    expect(sha256Of(captured)).toBe(sha256Hex('{"a":[1,null],"b":"x"}'));
    const hashed = captureValue({ b: "x", a: [1, undefined] }, { redactor, policy: "hash" });
    expect(sha256Of(hashed)).toBe(sha256Of(captured));
  });

  it("keeps the order of what it redacts", () => {
    const captured = captureValue({ to: "alice@example.org", at: 1 }, { redactor });
    expect(Object.keys(JSON.parse(captured.text ?? ""))).toEqual(["to", "at"]);
  });

  it("says that it redacted something", () => {
    const captured = captureValue({ to: "alice@example.org" }, { redactor });
    expect(captured.form).toBe("redacted");
    expect(captured.text).toMatch(/^\{"to":"\[redacted:email:[0-9a-f]{12}\]"\}$/);
  });

  it("keeps secrets only under the policy full", () => {
    expect(captureValue("alice@example.org", { redactor, policy: "full" }).text).toBe('"alice@example.org"');
  });

  it("keeps a redacted hash under the policy hash", () => {
    const captured = captureValue({ a: 1 }, { redactor, policy: "hash" });
    expect(captured).toMatchObject({ form: "hash", text: `sha256:${sha256Hex('{"a":1}')};bytes=7` });
    expect(captured.problem).toBeUndefined();
    expect(sha256Of(captured)).toBe(sha256Hex('{"a":1}'));
  });

  it("does not look at a value under the policy none", () => {
    const untouchable = new Proxy({}, { get: () => expect.fail("it was looked at") });
    expect(captureValue(untouchable, { redactor, policy: "none" })).toEqual({
      form: "hash",
      bytes: 0,
      problem: expect.stringContaining("keep no values"),
    });
  });

  it("replaces a value over the limit by its hash and size, and says so", () => {
    const captured = captureValue("é".repeat(50), { redactor, maxBytes: 100, label: "result of search" });
    expect(captured.text).toBe(`sha256:${sha256Hex(JSON.stringify("é".repeat(50)))};bytes=102`);
    expect(captured.problem).toBe("result of search is 102 bytes, over the capture limit of 100");
    expect(captureValue("é".repeat(49), { redactor, maxBytes: 100 }).form).toBe("full");
  });

  it.each([
    [
      "a cycle",
      (() => {
        const a: unknown[] = [];
        a.push(a);
        return a;
      })(),
    ],
    ["a function", () => 1],
    ["a bigint", 1n],
  ])("keeps nothing of %s", (_name, value) => {
    const captured = captureValue(value, { redactor });
    expect(captured).toMatchObject({ form: "hash", bytes: 0, problem: expect.stringContaining("not JSON") as string });
    expect(captured.text).toBeUndefined();
  });

  it("withholds a value when the redactor throws", () => {
    const broken = {
      json: (): never => {
        throw new Error("secret inside");
      },
    };
    const captured = captureValue({ password: "hunter2" }, { redactor: broken });
    expect(JSON.stringify(captured)).not.toMatch(/hunter2|secret inside/);
    expect(captured.problem).toContain("withheld");
  });
});
