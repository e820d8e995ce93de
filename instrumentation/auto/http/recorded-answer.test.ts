import { describe, expect, it } from "vitest";
import { parseRecordedAnswer } from "./recorded-answer.ts";
import { errorFromWire, wireErrorFrom } from "./wire-error.ts";

const answer = {
  status: 200,
  status_text: "OK",
  headers: [["set-cookie", "a"]],
  answered_ms: 1,
  chunks: [[1, "utf8", "x"]],
  end: "complete",
  ended_ms: 2,
};

describe("an answer from a cassette", () => {
  it("is read as it was written", () => {
    expect(parseRecordedAnswer(answer as never)).toEqual(answer);
    const error = { name: "Error", message: "m", code: "ECONNREFUSED", errors: [{ name: "Error", message: "n" }] };
    const failed = { ...answer, status: undefined, end: { error } };
    expect(parseRecordedAnswer(failed as never)?.end).toEqual({ error });
  });

  it.each([
    ["a list", []],
    ["a status that is none", { ...answer, status: 99 }],
    ["a header that would become two", { ...answer, headers: [["a", "b\r\nc: d"]] }],
    ["a header name with a blank", { ...answer, headers: [["a b", "c"]] }],
    ["a negative time", { ...answer, chunks: [[-1, "utf8", "x"]] }],
    ["an unknown encoding", { ...answer, chunks: [[1, "hex", "00"]] }],
    ["an unknown end", { ...answer, end: "sometime" }],
  ])("is none when it is %s", (_name, value) => {
    expect(parseRecordedAnswer(value as never)).toBeUndefined();
  });
});

describe("an error of the network", () => {
  const keep = (text: string): string => text;

  it("comes back with what agents look at", () => {
    const signs = { code: "ECONNREFUSED", errno: -111, syscall: "connect", address: "127.0.0.1", port: 9 };
    const thrown = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:9"), signs);
    const back = errorFromWire(wireErrorFrom(thrown, keep));
    expect(back).toMatchObject({ ...signs, message: thrown.message, name: "Error" });
    expect(back).toBeInstanceOf(Error);
  });

  it("keeps the errors of each address that was tried", () => {
    const each = [
      Object.assign(new Error("a"), { code: "ECONNREFUSED" }),
      Object.assign(new Error("b"), { code: "ENETUNREACH" }),
    ];
    const back = errorFromWire(
      wireErrorFrom(Object.assign(new AggregateError(each, ""), { code: "ECONNREFUSED" }), keep),
    );
    expect(back).toBeInstanceOf(AggregateError);
    expect((back as AggregateError).errors).toMatchObject([{ code: "ECONNREFUSED" }, { code: "ENETUNREACH" }]);
  });

  it("can be told of whatever was thrown", () => {
    for (const thrown of [undefined, null, "text", 5, { name: 1, errors: "no" }]) {
      expect(wireErrorFrom(thrown, keep).name).toBe("Error");
    }
  });
});
