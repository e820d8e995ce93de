import http, { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setCallInterceptor } from "../../capture/call-interceptor.ts";
import { defineContract } from "../../contract/contract.ts";
import { withRun } from "../../run/with-run.ts";
import { wrapTool } from "../../run/wrap-tool.ts";
import {
  calls,
  jsonOf,
  startRecorder,
  type Recorder,
  type RecorderOptions,
  type SeenSpan,
} from "../../run/testing/recorder.ts";
import * as semconv from "../../semconv.ts";
import { boundedRequest } from "../../transport/bounded-request.ts";
import { instrumentHttp } from "./instrument-http.ts";

const contract = defineContract({ agent: "fetcher" });
let answerWith: RequestListener;
let server: Server;
let url: string;
let seen: Recorder;
let undo: () => void;

async function begin(options: RecorderOptions = {}): Promise<void> {
  seen = await startRecorder(options);
  undo = instrumentHttp();
}

beforeEach(async () => {
  answerWith = (_request, response) => void response.end("ok");
  server = createServer((request, response) => answerWith(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  undo();
  await seen.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const exchanges = (): SeenSpan[] =>
  calls(seen.all()).filter((span) => span.attributes[semconv.ATTR_CALL_KIND] === "http");
const answerOf = (span: SeenSpan | undefined): Record<string, unknown> =>
  jsonOf(span as SeenSpan, semconv.ATTR_HTTP_RESPONSE);

describe("an HTTP exchange", () => {
  it("is a call below the tool that made it", async () => {
    await begin();
    const search = wrapTool({ name: "search" }, async () => await (await fetch(`${url}/a?q=1#frag`)).text());
    await withRun(contract, async () => await search(undefined));
    const [exchange] = exchanges();
    const tool = calls(seen.all()).find((span) => span.attributes[semconv.ATTR_CALL_KIND] === "tool");
    const host = new URL(url).host;
    expect(exchange).toMatchObject({ name: `GET ${host}`, parentSpanId: tool?.spanId });
    expect(exchange?.attributes[semconv.ATTR_CALL_PATH]).toBe(`search#0/GET ${host}#0`);
    expect(jsonOf(exchange as SeenSpan, semconv.ATTR_HTTP_REQUEST)).toMatchObject({ url: `${url}/a?q=1` });
  });

  it.each(["fetch", "node:http"])("made with %s outside a run, or by telemetry and probes, is none", async (client) => {
    await begin();
    const ask = (to: string, body: string | null = null): Promise<unknown> => {
      const method = body === null ? "GET" : "POST";
      if (client === "fetch") return fetch(to, { method, body }).then((answer) => answer.text());
      return new Promise((resolve) =>
        http.request(to, { method }, (answer) => answer.resume().on("end", resolve)).end(body),
      );
    };
    await ask(url);
    await withRun(contract, async () => {
      await ask(seen.collector.url, '{"resourceSpans":[]}');
      await boundedRequest({ url: new URL(url), method: "GET", headers: {}, timeoutMillis: 5_000, maxBytes: 100 });
    });
    await ask(url);
    expect(exchanges()).toEqual([]);
    undo();
    await withRun(contract, () => ask(url));
    expect(exchanges()).toEqual([]);
  });

  it("does without its body when that is over the limit, and the agent gets it all", async () => {
    await begin({ captureMaxBytes: 1_000 });
    answerWith = (_request, response) => void response.end("x".repeat(5_000));
    const text = await withRun(contract, async () => await (await fetch(url)).text());
    expect(text.length).toBe(5_000);
    const [exchange] = exchanges();
    expect(exchange?.attributes[semconv.ATTR_HTTP_RESPONSE]).toBeUndefined();
    expect(exchange?.attributes[semconv.ATTR_CALL_CAPTURE]).toMatch(
      /the answer is 5000 bytes \(SHA-256 [0-9a-f]{64}\)/,
    );
  });

  it("that the agent leaves unread is recorded as far as it came when the run closes", async () => {
    await begin();
    answerWith = (_request, response) => void response.write("first");
    await withRun(contract, async () => expect((await fetch(url)).status).toBe(200));
    expect(answerOf(exchanges()[0])).toMatchObject({ status: 200, end: "aborted" });
  });

  it.each(["fetch", "node:http"])("that the agent aborts in %s is no failure of the network", async (client) => {
    await begin();
    answerWith = (_request, response) => void response.write("first");
    await withRun(contract, async () => {
      if (client === "fetch") {
        const control = new AbortController();
        const { body } = await fetch(url, { signal: control.signal });
        await body?.getReader().read();
        control.abort(new Error("enough"));
      } else {
        await new Promise<void>((resolve) => {
          const request = http.get(url, (response) => response.once("data", () => request.destroy()));
          request.on("close", resolve).on("error", () => {});
        });
      }
      await sleep(20);
    });
    const [exchange] = exchanges();
    expect(answerOf(exchange)).toMatchObject({
      status: 200,
      chunks: [[expect.any(Number), "utf8", "first"]],
      end: "aborted",
    });
    expect(exchange?.attributes[semconv.ATTR_ERROR_TYPE]).toBe("cancelled");
  });

  it("keeps no credential of the request and no secret of its body", async () => {
    await begin();
    answerWith = (_request, response) =>
      void response.writeHead(200, { "set-cookie": "sid=s3cr3t-cookie" }).end("to bob@example.org");
    await withRun(contract, async () => {
      const headers = {
        authorization: "Bearer planted-token-1234567",
        cookie: "a=planted-cookie",
        "x-api-key": "planted-key",
      };
      const body = JSON.stringify({ password: "planted-password", to: "alice@example.org" });
      await (await fetch(`${url}/?api_key=planted-0123456789abcdefghij`, { method: "POST", headers, body })).text();
    });
    expect(exchanges()).toHaveLength(1);
    expect(seen.bodies.join("")).not.toMatch(/planted|s3cr3t|alice@|bob@/);
  });

  it("flows no faster than the agent reads", async () => {
    await begin();
    let written = 0;
    const block = Buffer.alloc(256 * 1024);
    answerWith = (_request, response) => {
      const more = (): void => {
        while (written < 64 * 1024 * 1024) {
          written += block.length;
          if (!response.write(block)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    };
    await withRun(contract, async () => {
      const reader = (await fetch(url)).body?.getReader();
      await reader?.read();
      await sleep(300);
      expect(written).toBeLessThan(32 * 1024 * 1024);
      await reader?.cancel();
    });
    expect(exchanges()).toHaveLength(1);
  });
});

describe("in a replay", () => {
  it.each(["fetch", "node:http"])("%s outside of a run, and telemetry to elsewhere, is refused", async (client) => {
    await begin();
    let asked = 0;
    answerWith = (_request, response) => {
      asked++;
      response.end();
    };
    setCallInterceptor(() => Promise.reject(new Error("nobody asks")));
    const ask = (to: string, method: string): Promise<unknown> => {
      if (client === "fetch")
        return fetch(to, { method }).catch((error: Error) => (error.cause as { code: unknown }).code);
      return new Promise((resolve) => {
        const request = http.request(to, { method }, (answer) => answer.resume().on("end", () => resolve("answered")));
        request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code)).end();
      });
    };
    expect(await ask(url, "GET")).toBe("ECONNREFUSED");
    await withRun(contract, async () => expect(await ask(`${url}/v1/traces`, "POST")).toBe("ECONNREFUSED"));
    expect(asked).toBe(0);
    expect(exchanges()).toEqual([]);
  });
});

describe("attempts", () => {
  it("of a client that tries again are calls of their own, with status and wait", async () => {
    await begin();
    let asked = 0;
    answerWith = (_request, response) => void response.writeHead(++asked < 3 ? 503 : 200).end();
    await withRun(contract, async () => {
      while ((await fetch(url)).status !== 200) await sleep(30);
    });
    const attempts = exchanges().map(
      (span) => jsonOf(span, semconv.ATTR_CALL_ATTEMPTS) as { status: string; wait_ms: number }[],
    );
    expect(attempts.map((list) => list.map(({ status }) => status))).toEqual([
      ["error"],
      ["error", "error"],
      ["error", "error", "ok"],
    ]);
    expect(attempts[2]?.[0]?.wait_ms).toBe(0);
    expect(attempts[2]?.[2]?.wait_ms).toBeGreaterThan(20);
  });
});
