import { createServer, type IncomingMessage, type ServerResponse, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineContract } from "../../contract/contract.ts";
import { calls, jsonOf, only, startRecorder, type Recorder, type SeenSpan } from "../../run/testing/recorder.ts";
import { withRun } from "../../run/with-run.ts";
import * as semconv from "../../semconv.ts";
import { instrumentHttp } from "../http/instrument-http.ts";

const contract = defineContract({ agent: "asker" });
let answer: (response: ServerResponse, body: string, count: number) => void;
let server: Server;
let url: string;
let seen: Recorder;
let undo: () => void;

async function begin(options: Parameters<typeof startRecorder>[0] = {}): Promise<void> {
  seen = await startRecorder(options);
  undo = instrumentHttp();
}

beforeEach(async () => {
  let count = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    answer(response, await text(request), ++count);
  server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`;
});
afterEach(async () => {
  undo();
  await seen.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Returns once everything has arrived. */
async function inRun(work: () => Promise<unknown>): Promise<void> {
  await withRun(contract, work);
  await seen.flush();
}
const exchanges = (): SeenSpan[] => calls(seen.all());
const post = (body: object, options: RequestInit = {}): Promise<Response> =>
  fetch(url, { method: "POST", body: JSON.stringify(body), ...options });
const asked = (content: string, more: object = {}) => ({
  model: "m-1",
  messages: [{ role: "user", content }],
  ...more,
});
const whole = (content: string): string =>
  JSON.stringify({ id: "c1", choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }] });
const chunk = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
const said = (span: SeenSpan | undefined): unknown => jsonOf(span as SeenSpan, semconv.ATTR_OUTPUT_MESSAGES);
const says = (content: string) => [{ role: "assistant", parts: [{ type: "text", content }] }];

describe("an HTTP exchange with a model", () => {
  it("tells what was asked and answered, redacted, and stays what it was", async () => {
    await begin();
    answer = (response) =>
      void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(whole("ask bob@example.org")));
    await inRun(async () => await (await post(asked("who is alice@example.org?"))).json());
    const [exchange] = exchanges();
    expect(exchange?.attributes).toMatchObject({
      [semconv.ATTR_CALL_KIND]: "http",
      [semconv.ATTR_PROVIDER_NAME]: "openai",
      [semconv.ATTR_REQUEST_MODEL]: "m-1",
      [semconv.ATTR_RESPONSE_ID]: "c1",
    });
    expect(said(exchange)).toMatchObject([
      { parts: [{ content: expect.stringContaining("ask [redacted:") as string }] },
    ]);
    expect(JSON.stringify(exchange?.attributes)).not.toMatch(/alice@|bob@/);
  });

  it("that is read to its last event and then dropped has come through", async () => {
    await begin();
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk("all of it") + chunk("", "stop") + "data: [DONE]\n\n");
    };
    await inRun(async () => {
      const { body } = await post(asked("hi", { stream: true }));
      const reader = body?.getReader();
      await reader?.read();
      await reader?.cancel();
    });
    expect(said(exchanges()[0])).toEqual(says("all of it"));
    expect(exchanges()[0]?.attributes[semconv.ATTR_ERROR_TYPE]).toBeUndefined();
  });

  it.each(["aborts", "leaves"])(
    "that the agent %s half way is told as far as it came, and its span is closed",
    async (how) => {
      await begin();
      answer = (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(chunk("the first half"));
      };
      await inRun(async () => {
        const control = new AbortController();
        const { body } = await post(asked("hi", { stream: true }), { signal: control.signal });
        await body?.getReader().read();
        if (how === "aborts") control.abort();
      });
      const [exchange] = exchanges();
      expect(said(exchange)).toEqual(says("the first half"));
      expect(exchange?.attributes[semconv.ATTR_ERROR_TYPE]).toBe("cancelled");
      expect(exchange?.endUnixNano).toBeGreaterThan(0n);
    },
  );

  it.each([
    [429, "rate_limited"],
    [529, "dependency_unavailable"],
    [500, "dependency_unavailable"],
    [400, "bad_request"],
  ])("that is refused with %i has an error type", async (status, errorClass) => {
    await begin();
    answer = (response) => void response.writeHead(status).end('{"error":{"type":"some_error"}}');
    await inRun(async () => await (await post(asked("hi"))).text());
    expect(exchanges()[0]?.attributes).toMatchObject({
      [semconv.ATTR_ERROR_TYPE]: errorClass,
      [semconv.ATTR_REQUEST_MODEL]: "m-1",
    });
  });

  it("keeps its content out where only hashes are kept", async () => {
    await begin({ capture: "hash" });
    answer = (response) => void response.end(whole("planted answer"));
    await inRun(async () => await (await post(asked("planted question"))).json());
    expect(exchanges()[0]?.attributes).toMatchObject({ [semconv.ATTR_RESPONSE_ID]: "c1" });
    expect(seen.bodies.join("")).not.toContain("planted");
  });
});

describe("a silent retry", () => {
  const busyAtFirst = (): void => {
    answer = (response, body, count) => {
      if (count <= 2) response.writeHead(429, { "retry-after": "0" }).end("{}");
      else response.end(whole(body));
    };
  };
  const persistent = async (content: string): Promise<void> => {
    while ((await post(asked(content))).status === 429);
  };

  it("is counted on the root span and the close record, and is an event", async () => {
    await begin();
    busyAtFirst();
    await inRun(() => persistent("hi"));
    const attempts = exchanges().map((span) => jsonOf(span, semconv.ATTR_CALL_ATTEMPTS) as unknown[]);
    expect(attempts.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    for (const event of [semconv.RUN_EVENT_ROOT, semconv.RUN_EVENT_CLOSE]) {
      expect(only(seen.all(), event).attributes[semconv.ATTR_SILENT_RETRIES]).toBe(1);
    }
    expect(only(seen.all(), semconv.RUN_EVENT_CHECKPOINT).attributes).toMatchObject({
      [semconv.ATTR_CHECKPOINT_NAME]: semconv.EVENT_SILENT_RETRY,
    });
  });

  it("of two questions asked side by side is each one's own", async () => {
    await begin();
    busyAtFirst();
    await inRun(async () => await Promise.all([persistent("one"), persistent("two")]));
    const attempts = exchanges().map((span) => jsonOf(span, semconv.ATTR_CALL_ATTEMPTS) as unknown[]);
    expect(attempts.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2]);
    expect(only(seen.all(), semconv.RUN_EVENT_ROOT).attributes[semconv.ATTR_SILENT_RETRIES]).toBe(2);
  });

  it("is none where another question follows one that was refused", async () => {
    await begin();
    answer = (response, body, count) =>
      void (count === 1 ? response.writeHead(429).end("{}") : response.end(whole(body)));
    await inRun(async () => {
      await (await post(asked("one"))).text();
      await (await post(asked("two"))).text();
    });
    expect(only(seen.all(), semconv.RUN_EVENT_ROOT).attributes[semconv.ATTR_SILENT_RETRIES]).toBeUndefined();
  });

  it("is none where everything came through at once", async () => {
    await begin();
    answer = (response) => void response.end(whole("fine"));
    await inRun(() => persistent("hi"));
    expect(only(seen.all(), semconv.RUN_EVENT_ROOT).attributes[semconv.ATTR_SILENT_RETRIES]).toBeUndefined();
  });
});
