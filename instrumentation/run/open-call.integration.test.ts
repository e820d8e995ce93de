import { afterEach, describe, expect, test } from "vitest";
import { setCallInterceptor, type CallRequest } from "../capture/call-interceptor.ts";
import { defineContract } from "../contract/contract.ts";
import * as semconv from "../semconv.ts";
import { openCall } from "./open-call.ts";
import { calls, startRecorder, type Recorder, type SeenSpan } from "./testing/recorder.ts";
import { withRun } from "./with-run.ts";
import { wrapTool } from "./wrap-tool.ts";

const contract = defineContract({ agent: "writer" });
const model = { kind: "model", name: "m-1", sideEffect: "read" } as const;
const look = wrapTool({ name: "look", sideEffect: "read" }, () => "seen");

let recorder: Recorder | undefined;
afterEach(async () => {
  setCallInterceptor(undefined);
  await recorder?.close();
});

async function recorded(work: () => unknown): Promise<SeenSpan[]> {
  recorder = await startRecorder();
  await withRun(contract, async () => void (await work()));
  return calls(recorder.all());
}

describe("a call that somebody else makes", () => {
  test("is one span with its arguments and its result, and what was made within is below it", async () => {
    const spans = await recorded(async () => {
      const call = openCall(model, { q: 1 });
      await call?.within(() => look(undefined));
      call?.returned({ a: 2 });
    });
    const outer = spans.find((span) => span.name === "chat m-1");
    expect(outer?.attributes).toMatchObject({
      [semconv.ATTR_MODEL_REQUEST]: '{"q":1}',
      [semconv.ATTR_MODEL_RESPONSE]: '{"a":2}',
    });
    const inner = spans.find((span) => span.name === "execute_tool look");
    expect(inner?.attributes[semconv.ATTR_CALL_PATH]).toBe("m-1#0/look#0");
  });

  test("ends once: what is told after its end changes nothing", async () => {
    const [span, ...others] = await recorded(() => {
      const call = openCall(model, {});
      call?.threw(new RangeError("too far"));
      call?.returned("late");
      call?.threw(new Error("later"));
    });
    expect(others).toEqual([]);
    expect(span?.attributes[semconv.ATTR_CALL_ERROR]).toBe('{"message":"too far","name":"RangeError"}');
    expect(span?.attributes[semconv.ATTR_MODEL_RESPONSE]).toBeUndefined();
  });

  test("is none outside a run", () => {
    expect(openCall(model, {})).toBeUndefined();
  });

  test("is left to happen in a replay when it is only observed, and what it is made of is answered", async () => {
    const asked: CallRequest[] = [];
    const spans = await recorded(async () => {
      setCallInterceptor(async (request) => {
        asked.push(request);
        return await Promise.resolve({ outcome: "returned", result: "from the cassette" });
      });
      const call = openCall({ ...model, isObserved: true }, {});
      expect(await call?.answer()).toBeUndefined();
      expect(await call?.within(() => look(undefined))).toBe("from the cassette");
      call?.returned("made again");
    });
    expect(asked.map((request) => request.path)).toEqual(["m-1#0/look#0"]);
    expect(spans.map((span) => span.attributes[semconv.ATTR_CALL_OBSERVED])).toEqual([undefined, "true"]);
  });
});
