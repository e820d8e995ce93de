import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { ReadableStream } from "node:stream/web";
import { afterEach, describe, expect, it } from "vitest";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { span, traces } from "../otlp/testing/model-builders.ts";
import { createOtlpHttpReceiver, type OtlpHttpReceiver, type OtlpHttpReceiverSettings } from "./otlp-http-receiver.ts";
import { createRecordingConsumer } from "./testing/recording-consumer.ts";

const JSON_TYPE = { "content-type": "application/json" };
const body = encodeTracesJson(traces([span()]));
const running: OtlpHttpReceiver[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((receiver) => receiver.shutdown()));
});

async function startReceiver(options: OtlpHttpReceiverSettings = {}) {
  const tracesConsumer = createRecordingConsumer<SpanRow>();
  const receiver = createOtlpHttpReceiver({
    port: 0,
    traces: tracesConsumer,
    logs: createRecordingConsumer<LogRow>(),
    ...options,
  });
  running.push(receiver);
  await receiver.start();
  const { host, port } = receiver.address();
  return { receiver, tracesConsumer, port, url: `http://${host}:${port}` };
}

async function rawConnection(port: number, text: string): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (received += chunk));
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  return { socket, received: () => received };
}

describe("the OTLP/HTTP receiver", () => {
  it("listens on loopback unless told otherwise", async () => {
    const { receiver } = await startReceiver();
    expect(receiver.address().host).toBe("127.0.0.1");
  });

  it("has no address before it is started", () => {
    const consumers = { traces: createRecordingConsumer<SpanRow>(), logs: createRecordingConsumer<LogRow>() };
    expect(() => createOtlpHttpReceiver(consumers).address()).toThrow("not listening");
  });

  it("fails to start on a taken port", async () => {
    const { port } = await startReceiver();
    await expect(startReceiver({ port })).rejects.toThrow("EADDRINUSE");
  });

  it("answers GET /health and refuses to be posted to", async () => {
    const { url } = await startReceiver();
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
    const posted = await fetch(`${url}/health`, { method: "POST" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("serves extra routes, and survives one that throws", async () => {
    const errors: unknown[] = [];
    const { url } = await startReceiver({
      extraRoutes: {
        "/metrics": () => ({ status: 200, headers: { "content-type": "text/plain" }, body: Buffer.from("up 1") }),
        "/broken": () => Promise.reject(new Error("defect")),
      },
      onUnexpectedError: (error) => errors.push(error),
    });
    expect(await (await fetch(`${url}/metrics`)).text()).toBe("up 1");
    expect((await fetch(`${url}/broken`)).status).toBe(503);
    expect(errors).toHaveLength(1);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it("takes a chunked body", async () => {
    const { url, tracesConsumer } = await startReceiver();
    const stream = ReadableStream.from([body.subarray(0, 10), body.subarray(10)]);
    const init = { method: "POST", headers: JSON_TYPE, body: stream, duplex: "half" } as RequestInit;
    expect((await fetch(`${url}/v1/traces`, init)).status).toBe(200);
    expect(tracesConsumer.rows).toHaveLength(1);
  });

  it("answers only after the consumer knows the batch's fate", async () => {
    const { url, tracesConsumer } = await startReceiver();
    const durable = Promise.withResolvers<void>();
    tracesConsumer.answer = async () => {
      await durable.promise;
      return { status: "accepted" };
    };
    let answered = false;
    const answer = fetch(`${url}/v1/traces`, { method: "POST", headers: JSON_TYPE, body }).then((response) => {
      answered = true;
      return response.status;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    durable.resolve();
    expect(await answer).toBe(200);
  });

  it("keeps the connection for the next request", async () => {
    const { port } = await startReceiver();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const localPorts = new Set<number | undefined>();
    for (let round = 0; round < 3; round++) {
      const request = httpRequest({ port, agent, method: "POST", path: "/v1/traces", headers: JSON_TYPE });
      request.end(body);
      const [response] = await once(request, "response");
      localPorts.add(request.socket?.localPort);
      response.resume();
      await once(response, "end");
    }
    agent.destroy();
    expect(localPorts.size).toBe(1);
  });

  it("refuses by the announced length without waiting for the body", async () => {
    const { port } = await startReceiver({ limits: { maxBodyBytes: 1_000 } });
    const head =
      "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n";
    const { socket, received } = await rawConnection(port, head);
    await expect.poll(received).toContain("HTTP/1.1 413 ");
    expect(received()).toContain("The body may have 1000 bytes as sent; send smaller batches.");
    socket.destroy();
  });

  it("stops reading a chunked body at the limit, answers 413, and serves the connection's next request", async () => {
    const { port, tracesConsumer } = await startReceiver({ limits: { maxBodyBytes: 1_000 } });
    const head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    const chunk = `400\r\n${" ".repeat(1024)}\r\n`;
    const { socket, received } = await rawConnection(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    await expect.poll(received).toContain("HTTP/1.1 413 ");
    socket.write(`${chunk}0\r\n\r\n${head}Content-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
    await expect.poll(received).toContain("HTTP/1.1 200 ");
    expect(tracesConsumer.rows).toHaveLength(1);
    socket.destroy();
  });

  it("answers 503 when the bodies in memory fill the budget", async () => {
    const { url, tracesConsumer } = await startReceiver({ limits: { maxBytesInMemory: body.length + 10 } });
    const durable = Promise.withResolvers<void>();
    tracesConsumer.answer = async () => {
      await durable.promise;
      return { status: "accepted" };
    };
    const first = fetch(`${url}/v1/traces`, { method: "POST", headers: JSON_TYPE, body });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await fetch(`${url}/v1/traces`, { method: "POST", headers: JSON_TYPE, body });
    expect([second.status, second.headers.get("retry-after")]).toEqual([503, "1"]);
    durable.resolve();
    expect((await first).status).toBe(200);
    expect((await fetch(`${url}/v1/traces`, { method: "POST", headers: JSON_TYPE, body })).status).toBe(200);
  });

  it("closes connections whose header or body does not come in time", async () => {
    const { port } = await startReceiver({ limits: { headersTimeoutMillis: 300, requestTimeoutMillis: 600 } });
    const slowHeader = await rawConnection(port, "POST /v1/traces HTTP/1.1\r\nHost: x\r\n");
    const slowBody = await rawConnection(
      port,
      "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
    );
    await Promise.all([once(slowHeader.socket, "close"), once(slowBody.socket, "close")]);
    expect(slowHeader.received()).toContain("408");
    expect(slowBody.received()).toContain("408");
  });

  it("gives back the bytes of a client that goes away in the middle", async () => {
    const { port, url } = await startReceiver({ limits: { maxBytesInMemory: 5_000 } });
    const head =
      "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n";
    const { socket } = await rawConnection(port, head + " ".repeat(4_900));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    const status = async () => (await fetch(`${url}/v1/traces`, { method: "POST", headers: JSON_TYPE, body })).status;
    await expect.poll(status).toBe(200);
  });

  it("drops connections over the limit and goes on serving the others", async () => {
    const { port } = await startReceiver({ limits: { maxConnections: 1 } });
    const first = await rawConnection(port, "");
    const second = await rawConnection(port, "");
    await once(second.socket, "close");
    first.socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    await expect.poll(first.received).toContain("200 OK");
    first.socket.destroy();
  });
});

describe("shutdown of the receiver", () => {
  it("finishes running requests, closes idle connections, and takes no new ones", async () => {
    const { receiver, port, url, tracesConsumer } = await startReceiver();
    const idle = await rawConnection(port, "");
    const consuming = Promise.withResolvers<void>();
    const durable = Promise.withResolvers<void>();
    tracesConsumer.answer = async () => {
      consuming.resolve();
      await durable.promise;
      return { status: "accepted" };
    };
    const answer = fetch(`${url}/v1/traces`, { method: "POST", headers: JSON_TYPE, body });
    await consuming.promise;
    const stopped = receiver.shutdown();
    await once(idle.socket, "close");
    await expect(fetch(`${url}/health`)).rejects.toThrow("fetch failed");
    durable.resolve();
    const response = await answer;
    expect([response.status, response.headers.get("connection")]).toEqual([200, "close"]);
    await stopped;
  });

  it("ends requests that do not finish at its deadline", async () => {
    const { receiver, url, tracesConsumer } = await startReceiver({ limits: { shutdownTimeoutMillis: 200 } });
    const consuming = Promise.withResolvers<void>();
    tracesConsumer.answer = () => {
      consuming.resolve();
      return new Promise(() => {});
    };
    const answer = fetch(`${url}/v1/traces`, { method: "POST", headers: JSON_TYPE, body }).catch(() => "closed");
    await consuming.promise;
    await receiver.shutdown();
    expect(await answer).toBe("closed");
  });

  it("is safe twice and without start", async () => {
    const { receiver } = await startReceiver();
    await Promise.all([receiver.shutdown(), receiver.shutdown()]);
    await receiver.shutdown();
    const consumers = { traces: createRecordingConsumer<SpanRow>(), logs: createRecordingConsumer<LogRow>() };
    await createOtlpHttpReceiver(consumers).shutdown();
  });
});
