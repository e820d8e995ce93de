import { afterEach, describe, expect, it } from "vitest";
import { setCallInterceptor, type CallRequest } from "../capture/call-interceptor.ts";
import { defineContract } from "../contract/contract.ts";
import * as semconv from "../semconv.ts";
import { closeRun } from "./close-run.ts";
import type { ToolSpec } from "./wrap-tool.ts";
import { startRun } from "./start-run.ts";
import { calls, evidenceOf, jsonOf, only, startRecorder, type Recorder, type SeenSpan } from "./testing/recorder.ts";
import { runInContext, withRun } from "./with-run.ts";
import { wrapModel, wrapTool } from "./wrap-tool.ts";

const contract = defineContract({ agent: "writer" });

let recorder: Recorder | undefined;
const start = async (options: Parameters<typeof startRecorder>[0] = {}): Promise<Recorder> =>
  (recorder = await startRecorder(options));
afterEach(async () => {
  await recorder?.close();
  recorder = undefined;
});

/** The spans of the calls that `work` makes within a run. */
async function recorded(work: () => unknown, options: Parameters<typeof startRecorder>[0] = {}): Promise<SeenSpan[]> {
  const seen = await start(options);
  await withRun(contract, async () => void (await work()));
  return calls(seen.all());
}

const one = async (work: () => unknown): Promise<SeenSpan> => {
  const [span, ...others] = await recorded(work);
  expect(others).toEqual([]);
  return span as SeenSpan;
};

/** What was thrown, in a box, because a promise would look into it. */
const thrownBy = async (work: Promise<unknown>): Promise<[unknown]> =>
  await work.then(
    () => expect.fail("it resolved"),
    (error: unknown): [unknown] => [error],
  );

describe("wrapTool()", () => {
  it("gives back the very result and records what a replay needs", async () => {
    const result = { items: [1] };
    const tool = wrapTool(
      { name: "book", sideEffect: "money", referenceOf: () => "R-17" },
      (_args: { seat: string }) => result,
    );
    const span = await one(async () => expect(await tool({ seat: "4A" }, { callId: "call-1" })).toBe(result));
    expect(span).toMatchObject({ name: "execute_tool book", error: false });
    expect(span.attributes).toMatchObject({
      [semconv.ATTR_OPERATION_NAME]: "execute_tool",
      [semconv.ATTR_CALL_KIND]: "tool",
      [semconv.ATTR_TOOL_NAME]: "book",
      [semconv.ATTR_TOOL_CALL_ID]: "call-1",
      [semconv.ATTR_SIDE_EFFECT]: "money",
      [semconv.ATTR_CALL_REFERENCE]: "R-17",
      [semconv.ATTR_CALL_PATH]: "book#0",
      [semconv.ATTR_TOOL_CALL_ARGUMENTS]: '{"seat":"4A"}',
      [semconv.ATTR_TOOL_CALL_RESULT]: '{"items":[1]}',
      [semconv.ATTR_CALL_CAPTURE]: '{"arguments":{"form":"full"},"result":{"form":"full"}}',
      [semconv.ATTR_CALL_ATTEMPTS]: '[{"error_class":null,"status":"ok","wait_ms":0}]',
    });
    expect(span.attributes[semconv.ATTR_ERROR_TYPE]).toBeUndefined();
  });

  it("takes a tool that nobody described for one that may change anything", async () => {
    const span = await one(() => wrapTool({ name: "x" }, () => 1)(undefined));
    expect(span.attributes[semconv.ATTR_SIDE_EFFECT]).toBe("write");
  });

  it("throws the very error, sync or async, and records its class", async () => {
    const error = Object.assign(new Error("socket of jane.roe@example.com"), { code: "ECONNREFUSED" });
    const tools = [() => raise(error), async () => raise(error)].map((work) => wrapTool({ name: "x" }, work));
    const spans = await recorded(async () => {
      for (const tool of tools) expect((await thrownBy(tool(undefined)))[0]).toBe(error);
    });
    for (const span of spans) {
      expect(span.error).toBe(true);
      expect(span.attributes[semconv.ATTR_ERROR_TYPE]).toBe("dependency_unavailable");
      expect(jsonOf(span, semconv.ATTR_CALL_ERROR)).toMatchObject({ name: "Error" });
      expect(String(span.attributes[semconv.ATTR_CALL_ERROR])).not.toContain("jane.roe");
    }
  });

  it.each([
    ["nothing", undefined],
    ["an object without a prototype", Object.create(null)],
    ["a revoked proxy", revoked()],
  ])("throws and records whatever the tool throws: %s", async (_, what) => {
    const tool = wrapTool({ name: "x", retries: 1, retryWaitMillis: 1 }, () => raise(what));
    const span = await one(async () => expect(Object.is((await thrownBy(tool(undefined)))[0], what)).toBe(true));
    expect(span.attributes[semconv.ATTR_ERROR_TYPE]).toBe("_OTHER");
    expect(jsonOf(span, semconv.ATTR_CALL_ATTEMPTS)).toHaveLength(2);
  });

  it("retries as told, waits twice as long each time, and records every attempt", async () => {
    let tries = 0;
    const tool = wrapTool({ name: "x", retries: 3, retryWaitMillis: 5 }, () =>
      ++tries < 3 ? raise(Object.assign(new Error("slow"), { status: 429 })) : "done",
    );
    const span = await one(async () => expect(await tool(undefined)).toBe("done"));
    expect(jsonOf(span, semconv.ATTR_CALL_ATTEMPTS)).toEqual([
      { status: "error", error_class: "rate_limited", wait_ms: 0 },
      { status: "error", error_class: "rate_limited", wait_ms: 5 },
      { status: "ok", error_class: null, wait_ms: 10 },
    ]);
    expect(span.attributes[semconv.ATTR_ERROR_TYPE]).toBeUndefined();
  });

  it("ends after the last retry, and a number of retries that is none means none", async () => {
    let tries = 0;
    const tool = (retries: number) => wrapTool({ name: "x", retries, retryWaitMillis: 1 }, () => raise(++tries));
    await one(async () => expect(await thrownBy(tool(2)(undefined))).toEqual([3]));
    await recorder?.close();
    tries = 0;
    await one(async () => expect(await thrownBy(tool(Number.NaN)(undefined))).toEqual([1]));
  });

  it("records a result that means failure, although nothing was thrown", async () => {
    const tool = wrapTool({ name: "x", errorOf: (result: { error?: string }) => result.error ?? null }, () => ({
      error: "not_found",
    }));
    const span = await one(() => tool(undefined));
    expect(span).toMatchObject({ error: true, attributes: { [semconv.ATTR_ERROR_TYPE]: "not_found" } });
    expect(span.attributes[semconv.ATTR_TOOL_CALL_RESULT]).toBe('{"error":"not_found"}');
  });

  it.each<[string, Partial<ToolSpec<string>>, readonly string[]]>([
    ["errorOf() throws", { errorOf: () => raise(new Error("x")) }, ['errorOf() of "x" failed']],
    ["errorOf() gives no text", { errorOf: () => 5 as never }, ['errorOf() of "x" gave no text']],
    ["referenceOf() throws", { referenceOf: () => raise(new Error("x")) }, []],
    ["referenceOf() gives a number", { referenceOf: () => 5 as never }, []],
  ])("does not hurt the agent when %s, and says so where it leaves doubt", async (_, spec, gaps) => {
    const seen = await start();
    const tool = wrapTool({ name: "x", ...spec }, () => "fine");
    const results = await withRun(contract, async () => [await tool(undefined), await tool(undefined)]);
    expect(results).toEqual(["fine", "fine"]);
    expect(calls(seen.direct())).toHaveLength(2);
    expect(evidenceOf(only(seen.direct(), "close"))["gaps"]).toEqual(gaps);
  });

  it("is just the tool outside a run and after its close", async () => {
    const seen = await start();
    const tool = wrapTool({ name: "x" }, (args: number) => args + 1);
    expect(await tool(1)).toBe(2);
    const run = await startRun(contract);
    await closeRun(run);
    expect(await runInContext(run, async () => await tool(2))).toBe(3);
    expect(calls(seen.all())).toEqual([]);
  });

  it("keeps values as the tool says, field by field", async () => {
    const secret = { mail: "jane.roe@example.com" };
    const captures = [
      { arguments: "full", result: "hash" },
      { arguments: "hash", result: "redacted" },
      { arguments: "redacted", result: "full" },
    ] as const;
    const spans = await recorded(async () => {
      for (const capture of captures) await wrapTool({ name: "x", capture }, () => secret)(secret);
    });
    for (const [index, policies] of captures.entries()) {
      const span = spans.find((found) => found.attributes[semconv.ATTR_CALL_PATH] === `x#${index}`) as SeenSpan;
      const given = { arguments: semconv.ATTR_TOOL_CALL_ARGUMENTS, result: semconv.ATTR_TOOL_CALL_RESULT };
      for (const field of ["arguments", "result"] as const) {
        const text = String(span.attributes[given[field]]);
        expect(text.includes("jane.roe")).toBe(policies[field] === "full");
        expect(/^sha256:[0-9a-f]{64};bytes=\d+$/.test(text)).toBe(policies[field] === "hash");
        const capture: Record<string, { form: string }> = jsonOf(span, semconv.ATTR_CALL_CAPTURE);
        expect(capture[field]).toEqual({ form: policies[field] });
      }
    }
  });

  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  it.each<[string, unknown]>([
    ["a cycle", cycle],
    ["a big integer", { n: 1n }],
    ["something nested too deep", JSON.parse("[".repeat(500) + "]".repeat(500))],
    ["an object whose getter throws", Object.defineProperty({}, "x", { enumerable: true, get: () => raise("no") })],
    ["an object whose toJSON() throws", { toJSON: () => raise("no") }],
    ["a revoked proxy", revoked()],
  ])("records a value that is no JSON with the problem, and hands it on as it is: %s", async (_, value) => {
    const tool = wrapTool({ name: "x" }, (args: unknown) => [args]);
    const span = await one(async () => expect(Object.is((await tool(value))[0], value)).toBe(true));
    const capture: Record<string, { form: string; problem?: string }> = jsonOf(span, semconv.ATTR_CALL_CAPTURE);
    expect(capture["arguments"]).toMatchObject({ form: "hash", problem: expect.stringContaining("the arguments") });
    expect(capture["result"]).toMatchObject({ form: "hash", problem: expect.stringContaining("the result") });
    expect(span.attributes[semconv.ATTR_TOOL_CALL_ARGUMENTS]).toBeUndefined();
  });

  it("keeps of a value over the limit the hash and the size", async () => {
    const [span] = await recorded(() => wrapTool({ name: "x" }, () => "r".repeat(2_000))("a"), {
      captureMaxBytes: 1_000,
    });
    expect(span?.attributes[semconv.ATTR_TOOL_CALL_RESULT]).toMatch(/^sha256:[0-9a-f]{64};bytes=2002$/);
    expect(String(span?.attributes[semconv.ATTR_CALL_CAPTURE])).toContain("over the capture limit of 1000");
  });

  it("records arguments as they were given, although the tool changes them", async () => {
    const tool = wrapTool({ name: "x" }, (args: { n: number }) => void (args.n = 2));
    const span = await one(() => tool({ n: 1 }));
    expect(span.attributes[semconv.ATTR_TOOL_CALL_ARGUMENTS]).toBe('{"n":1}');
  });

  it("gives hostile names a place of their own", async () => {
    const names = ["a/b", "a_b", "a/b", "a#0", "__proto__", "", undefined as unknown as string, "jane.roe@example.com"];
    const spans = await recorded(async () => {
      for (const name of names) await wrapTool({ name }, () => 1)(undefined);
    });
    const paths = spans.map((span) => String(span.attributes[semconv.ATTR_CALL_PATH]));
    expect(paths).toHaveLength(names.length);
    expect(new Set(paths).size).toBe(names.length);
    expect(paths).toEqual(expect.arrayContaining(["__proto__#0", "a_0#0", "a_b#0", "a_b#1", "a_b#2"]));
    expect(recorder?.bodies.join("")).not.toContain("jane.roe");
  });
});

describe("wrapModel()", () => {
  it("records whole requests and responses under the model's name", async () => {
    const model = wrapModel({ model: "m-1" }, async (request: { prompt: string }) => ({ text: request.prompt }));
    const seen = await start();
    await withRun(contract, async () => expect(await model({ prompt: "hi" })).toEqual({ text: "hi" }));
    const [span] = calls(seen.direct());
    expect(span?.name).toBe("chat m-1");
    expect(span?.attributes).toMatchObject({
      [semconv.ATTR_CALL_KIND]: "model",
      [semconv.ATTR_REQUEST_MODEL]: "m-1",
      [semconv.ATTR_MODEL_REQUEST]: '{"prompt":"hi"}',
      [semconv.ATTR_MODEL_RESPONSE]: '{"text":"hi"}',
    });
    const evidence = evidenceOf(only(seen.direct(), "close"));
    expect(evidence).toMatchObject({ toolCallCount: 0, stepCount: 1 });
  });
});

describe("a call interceptor", () => {
  it("answers in place of the tool, with the attempts that it knows of, and sees redacted arguments", async () => {
    const asked: CallRequest[] = [];
    const attempts = [{ status: "ok", errorClass: null, waitMillis: 7 }] as const;
    const tool = wrapTool({ name: "x" }, (_args: unknown): unknown => expect.fail("it was called"));
    const seen = await start();
    setCallInterceptor(async (request) => {
      asked.push(request);
      return { outcome: "returned", result: { from: "the cassette" }, attempts };
    });
    await withRun(contract, async () => {
      expect(await tool({ mail: "jane.roe@example.com" })).toEqual({ from: "the cassette" });
    });
    expect(asked).toEqual([{ kind: "tool", name: "x", path: "x#0", arguments: { mail: expect.any(String) } }]);
    expect(JSON.stringify(asked)).not.toContain("jane.roe");
    const [span] = calls(seen.direct());
    expect(span?.attributes[semconv.ATTR_CALL_ATTEMPTS]).toBe('[{"error_class":null,"status":"ok","wait_ms":7}]');
  });

  it("throws to the agent what it was told to throw, or rejects itself; nothing is retried", async () => {
    const error = Object.assign(new Error("recorded"), { name: "ApiError" });
    const attempts = [
      { status: "error", errorClass: "timeout", waitMillis: 0 },
      { status: "error", errorClass: "timeout", waitMillis: 50 },
    ] as const;
    const refusal = new Error("no recording");
    const tool = wrapTool({ name: "x", retries: 5 }, (_n: number): unknown => expect.fail("it was called"));
    const seen = await start();
    setCallInterceptor(async ({ path }) => (path === "x#0" ? { outcome: "threw", error, attempts } : raise(refusal)));
    await withRun(contract, async () => {
      expect((await thrownBy(tool(1)))[0]).toBe(error);
      expect((await thrownBy(tool(2)))[0]).toBe(refusal);
    });
    const [first, second] = calls(seen.direct());
    expect(jsonOf(first as SeenSpan, semconv.ATTR_CALL_ATTEMPTS)).toHaveLength(2);
    expect(second?.attributes[semconv.ATTR_CALL_ERROR]).toContain("no recording");
  });

  it("lets the call happen when it has no answer", async () => {
    await start();
    setCallInterceptor(async () => undefined);
    expect(await withRun(contract, async () => await wrapTool({ name: "x" }, () => 5)(undefined))).toBe(5);
  });
});

function raise(what: unknown): never {
  throw what;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
