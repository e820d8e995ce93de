import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, nestedValue, span, traces } from "../otlp/testing/model-builders.ts";
import { createByteBudget } from "./byte-budget.ts";
import { createOtlpGrpcReceiver, type OtlpGrpcReceiver } from "./otlp-grpc-receiver.ts";
import type { OtlpGrpcReceiverSettings } from "./otlp-grpc-receiver.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import { createTestGrpcClient, LOGS_METHOD, type TestGrpcClient, TRACES_METHOD } from "./testing/grpc-client.ts";
import { createRecordingConsumer } from "./testing/recording-consumer.ts";

const running: OtlpGrpcReceiver[] = [];
const clients: TestGrpcClient[] = [];
const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const session of sessions.splice(0)) session.destroy();
  await Promise.all(running.splice(0).map((receiver) => receiver.shutdown()));
});

async function startReceiver(settings: OtlpGrpcReceiverSettings = {}) {
  const tracesConsumer = createRecordingConsumer<SpanRow>();
  const logsConsumer = createRecordingConsumer<LogRow>();
  const receiver = createOtlpGrpcReceiver({ port: 0, traces: tracesConsumer, logs: logsConsumer, ...settings });
  running.push(receiver);
  await receiver.start();
  const { port } = receiver.address();
  const clientOf = (options?: { gzip: boolean }): TestGrpcClient => {
    const client = createTestGrpcClient(port, options);
    clients.push(client);
    return client;
  };
  return { receiver, tracesConsumer, logsConsumer, port, clientOf, client: clientOf() };
}

const oneSpan = encodeTracesProtobuf(traces([span()]));

/** A request written by hand, where the gRPC client would not let it through. */
function rawStream(port: number, headers: Record<string, string> = {}) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  sessions.push(session);
  const all = { ":method": "POST", ":path": TRACES_METHOD, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request({ ...all, ...headers });
  stream.on("error", () => {});
  const answer = new Promise<IncomingHttpHeaders>((resolve) => stream.once("response", resolve));
  stream.resume();
  return { session, stream, answer };
}

function prefixed(body: Uint8Array, { flag = 0, length = body.length } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, body]);
}

/** Seconds of `RetryInfo` in `google.rpc.Status`, read field by field. */
function retrySeconds(details: Buffer | undefined): number | undefined {
  if (details === undefined) return undefined;
  const any = fieldOf(details, 3);
  expect(fieldOf(any, 1).toString()).toBe("type.googleapis.com/google.rpc.RetryInfo");
  const duration = new ProtobufReader(fieldOf(fieldOf(any, 2), 1));
  let seconds = 0;
  while (duration.nextField()) seconds += Number(duration.int64()) / (duration.field === 1 ? 1 : 1e9);
  return seconds;
}

function fieldOf(message: Uint8Array, field: number): Buffer {
  const reader = new ProtobufReader(message);
  while (reader.nextField()) {
    if (reader.field === field) return Buffer.from(reader.bytes());
    reader.skip();
  }
  return Buffer.alloc(0);
}

describe("an OTLP/gRPC request that is taken", () => {
  it("hands spans and log records, plain and gzip, to their consumers and answers with an empty success", async () => {
    const { client, clientOf, tracesConsumer, logsConsumer } = await startReceiver();
    for (const one of [client, clientOf({ gzip: true })]) {
      expect(await one.call(TRACES_METHOD, oneSpan)).toMatchObject({ code: status.OK, message: Buffer.alloc(0) });
      const records = encodeLogsProtobuf(logs([logRecord()]));
      expect(await one.call(LOGS_METHOD, records)).toMatchObject({ code: status.OK, message: Buffer.alloc(0) });
    }
    expect([tracesConsumer.rows.length, logsConsumer.rows.length]).toEqual([2, 2]);
    expect(tracesConsumer.rows[1]).toEqual(tracesConsumer.rows[0]);
  });

  it("answers an empty request with success", async () => {
    const { client } = await startReceiver();
    expect((await client.call(TRACES_METHOD, new Uint8Array())).code).toBe(status.OK);
  });

  it("tells in a partial success how many records were rejected and why", async () => {
    const { client, tracesConsumer } = await startReceiver();
    const body = encodeTracesProtobuf(traces([span(), span({ traceId: "ab" })]));
    const { code, message } = await client.call(TRACES_METHOD, body);
    const partial = new ProtobufReader(fieldOf(message!, 1));
    partial.nextField();
    expect([code, Number(partial.int64())]).toEqual([status.OK, 1]);
    expect(fieldOf(fieldOf(message!, 1), 2).toString()).toContain("trace_id must be 16 bytes");
    expect(tracesConsumer.rows).toHaveLength(1);
  });

  it("answers only after the consumer knows the batch's fate", async () => {
    const { client, tracesConsumer } = await startReceiver();
    const durable = Promise.withResolvers<void>();
    tracesConsumer.answer = () => durable.promise.then(() => ({ status: "accepted" }));
    let answered = false;
    const answer = client.call(TRACES_METHOD, oneSpan).finally(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    durable.resolve();
    expect((await answer).code).toBe(status.OK);
  });

  it("takes a message that comes byte by byte", async () => {
    const { port, tracesConsumer } = await startReceiver();
    const { stream, answer } = rawStream(port);
    for (const byte of prefixed(oneSpan)) stream.write(Uint8Array.of(byte));
    stream.end();
    expect((await answer)[":status"]).toBe(200);
    await expect.poll(() => tracesConsumer.rows.length).toBe(1);
  });
});

describe("the consumer's outcome over gRPC", () => {
  it.each([
    [2.5, 2.5],
    [undefined, 1],
  ])("is UNAVAILABLE with RetryInfo when it is retryable after %s s", async (retryAfterSeconds, told) => {
    const { client, tracesConsumer } = await startReceiver();
    const after = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    tracesConsumer.answer = () => ({ status: "retryable", message: "the spool is full \u{1f600} 100 %", ...after });
    const { code, details, statusDetails } = await client.call(TRACES_METHOD, oneSpan);
    expect([code, details]).toEqual([status.UNAVAILABLE, "the spool is full \u{1f600} 100 %"]);
    expect(retrySeconds(statusDetails)).toBe(told);
  });

  it("is retried by a client with a retry policy, and taken then", async () => {
    const { port, tracesConsumer } = await startReceiver();
    const retryPolicy = {
      maxAttempts: 3,
      initialBackoff: "0.05s",
      maxBackoff: "0.1s",
      backoffMultiplier: 1,
      retryableStatusCodes: ["UNAVAILABLE"],
    };
    const config = JSON.stringify({ loadBalancingConfig: [], methodConfig: [{ name: [{}], retryPolicy }] });
    const options = { "grpc.service_config": config, "grpc.enable_retries": 1 };
    const client = createTestGrpcClient(port, { options });
    clients.push(client);
    let calls = 0;
    tracesConsumer.answer = () => (++calls < 3 ? { status: "retryable", message: "busy" } : { status: "accepted" });
    expect((await client.call(TRACES_METHOD, oneSpan)).code).toBe(status.OK);
    expect([calls, tracesConsumer.rows.length]).toEqual([3, 1]);
  });

  it("is INVALID_ARGUMENT without RetryInfo when it is permanent", async () => {
    const { client, tracesConsumer } = await startReceiver();
    tracesConsumer.answer = () => ({ status: "permanent", message: "never" });
    const answer = await client.call(TRACES_METHOD, oneSpan);
    expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, details: "never", statusDetails: undefined });
  });

  it("is UNAVAILABLE when the consumer breaks its promise, and says nothing of the defect", async () => {
    const errors: unknown[] = [];
    const { client, tracesConsumer } = await startReceiver({ onUnexpectedError: (error) => errors.push(error) });
    tracesConsumer.answer = () => Promise.reject(new Error("secret detail"));
    const { code, details, statusDetails } = await client.call(TRACES_METHOD, oneSpan);
    expect([code, retrySeconds(statusDetails)]).toEqual([status.UNAVAILABLE, 5]);
    expect(details).not.toContain("secret");
    expect(errors).toHaveLength(1);
  });
});

describe("a gRPC request that is refused", () => {
  it("is UNIMPLEMENTED for a service or method that is not there", async () => {
    const { client } = await startReceiver();
    const metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    expect((await client.call(metrics, oneSpan)).code).toBe(status.UNIMPLEMENTED);
    expect((await client.call(`${TRACES_METHOD}Again`, oneSpan)).code).toBe(status.UNIMPLEMENTED);
  });

  it("is INVALID_ARGUMENT when it cannot be decoded, is nested too deep, or belongs to the other service", async () => {
    const { client } = await startReceiver();
    const deep = traces([span({ attributes: [attribute("k", nestedValue(33, "arrayValue"))] })]);
    for (const body of [
      Uint8Array.of(0x0a, 0x7f),
      encodeTracesProtobuf(deep),
      encodeLogsProtobuf(logs([logRecord()])),
    ]) {
      expect((await client.call(TRACES_METHOD, body)).code).toBe(status.INVALID_ARGUMENT);
    }
  });

  it("is RESOURCE_EXHAUSTED without RetryInfo over the limit, as sent and after decompression", async () => {
    const limits = { maxBodyBytes: 20_000, maxCompressedBytes: 10_000 };
    const { client, clientOf } = await startReceiver({ limits });
    const large = await client.call(TRACES_METHOD, new Uint8Array(20_001));
    expect(large).toMatchObject({ code: status.RESOURCE_EXHAUSTED, statusDetails: undefined });
    expect(large.details).toContain("20000 bytes as sent");
    const bomb = await clientOf({ gzip: true }).call(TRACES_METHOD, new Uint8Array(1_000_000));
    expect(bomb).toMatchObject({ code: status.RESOURCE_EXHAUSTED, statusDetails: undefined });
    expect(bomb.details).toContain("20000 bytes after decompression");
  });

  it("is refused by the announced length alone, before the message has come", async () => {
    const { port } = await startReceiver();
    const { stream, answer } = rawStream(port);
    stream.write(prefixed(new Uint8Array(), { length: 0xffff_ffff }));
    expect((await answer)["grpc-status"]).toBe(String(status.RESOURCE_EXHAUSTED));
    await once(stream, "close");
  });

  it.each([
    ["no message", Buffer.alloc(0)],
    ["half a prefix", Buffer.alloc(3)],
    ["a message cut short", prefixed(Buffer.alloc(3), { length: 10 })],
    ["two messages", Buffer.concat([prefixed(oneSpan), prefixed(oneSpan)])],
    ["an unknown flag", prefixed(oneSpan, { flag: 2 })],
    ["a compressed message without grpc-encoding", prefixed(gzipSync(oneSpan), { flag: 1 })],
  ])("is INVALID_ARGUMENT for %s", async (_name, bytes) => {
    const { port, tracesConsumer } = await startReceiver();
    const { stream, answer } = rawStream(port);
    stream.end(bytes);
    expect((await answer)["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
    expect(tracesConsumer.rows).toHaveLength(0);
  });

  it.each([
    ["broken gzip", prefixed(Buffer.from("plain"), { flag: 1 })],
    ["gzip of gzip", prefixed(gzipSync(gzipSync(oneSpan)), { flag: 1 })],
  ])("is INVALID_ARGUMENT for %s", async (_name, bytes) => {
    const { port } = await startReceiver();
    const { stream, answer } = rawStream(port, { "grpc-encoding": "gzip" });
    stream.end(bytes);
    expect((await answer)["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
  });

  it("takes a plain message although grpc-encoding is gzip", async () => {
    const { port } = await startReceiver();
    const { stream, answer } = rawStream(port, { "grpc-encoding": "gzip" });
    const trailers = once(stream, "trailers");
    stream.end(prefixed(oneSpan));
    await answer;
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
  });

  it("is UNIMPLEMENTED with the encodings it takes for another compression", async () => {
    const { port } = await startReceiver();
    const headers = await rawStream(port, { "grpc-encoding": "deflate" }).answer;
    expect(headers["grpc-status"]).toBe(String(status.UNIMPLEMENTED));
    expect(headers["grpc-accept-encoding"]).toBe("identity,gzip");
  });

  it("is plain HTTP when it is not gRPC", async () => {
    const { port } = await startReceiver();
    expect((await rawStream(port, { "content-type": "application/json" }).answer)[":status"]).toBe(415);
    expect((await rawStream(port, { ":method": "PUT" }).answer)[":status"]).toBe(405);
  });

  it("is RESOURCE_EXHAUSTED with RetryInfo over the project's rate, and the record of a run still passes", async () => {
    const rateLimiter = createRateLimiter({ general: { requestsPerSecond: 0.1 } });
    const { client, tracesConsumer } = await startReceiver({ rateLimiter });
    expect((await client.call(TRACES_METHOD, oneSpan)).code).toBe(status.OK);
    const refused = await client.call(TRACES_METHOD, oneSpan);
    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(retrySeconds(refused.statusDetails)).toBeGreaterThan(9);
    const start = span({ attributes: [attribute("runproof.event", "start")] });
    expect((await client.call(TRACES_METHOD, encodeTracesProtobuf(traces([start])))).code).toBe(status.OK);
    expect(tracesConsumer.rows).toHaveLength(2);
  });

  it("ends at the deadline of the client, whatever the consumer does", async () => {
    const { port, client, tracesConsumer } = await startReceiver();
    tracesConsumer.answer = () => new Promise(() => {});
    const started = performance.now();
    expect((await client.call(TRACES_METHOD, oneSpan, { deadlineMillis: 200 })).code).toBe(status.DEADLINE_EXCEEDED);
    expect(performance.now() - started).toBeLessThan(20_000);
    const { stream, answer } = rawStream(port, { "grpc-timeout": "100m" });
    stream.end(prefixed(oneSpan));
    expect((await answer)["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
  });

  it("is INVALID_ARGUMENT for a timeout that is none", async () => {
    const { port } = await startReceiver();
    const headers = await rawStream(port, { "grpc-timeout": "soon" }).answer;
    expect(headers["grpc-status"]).toBe(String(status.INVALID_ARGUMENT));
  });
});

describe("a gRPC client cannot hold the receiver", () => {
  it("with a message that does not come", async () => {
    const { port } = await startReceiver({ limits: { requestTimeoutMillis: 200 } });
    const { stream, answer } = rawStream(port);
    stream.write(prefixed(Buffer.alloc(10), { length: 1_000 }));
    expect((await answer)["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
    await once(stream, "close");
  });

  it("with a connection that asks for nothing, at first or any more", async () => {
    const limits = { headersTimeoutMillis: 200, keepAliveTimeoutMillis: 200 };
    const { port } = await startReceiver({ limits });
    const silent = connectSocket(port, "127.0.0.1").resume();
    silent.on("error", () => {});
    await once(silent, "close");
    const { session, stream } = rawStream(port);
    stream.end(prefixed(oneSpan));
    await once(session, "close");
  });

  it("with pings", async () => {
    const { port } = await startReceiver({ limits: { maxPingsPerMinute: 10 } });
    const session = connect(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    sessions.push(session);
    const reason = new Promise((resolve) => session.once("goaway", (...[, , text]) => resolve(text?.toString())));
    const closed = new Promise<void>((resolve) => session.once("close", resolve));
    await once(session, "connect");
    for (let count = 0; count < 11; count++) {
      await new Promise<void>((resolve) => {
        if (session.destroyed || !session.ping(() => resolve())) resolve();
      });
    }
    expect(await reason).toBe("too_many_pings");
    await closed;
  });

  it("with more connections than the limit", async () => {
    const { port } = await startReceiver({ limits: { maxConnections: 1 } });
    const first = rawStream(port);
    await once(first.session, "remoteSettings");
    const second = connectSocket(port, "127.0.0.1").resume();
    second.on("error", () => {});
    await once(second, "close");
    const trailers = once(first.stream, "trailers");
    first.stream.end(prefixed(oneSpan));
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
  });

  it("with unfinished messages: over the shared budget it is told to come again, and the bytes are given back", async () => {
    const budget = createByteBudget(200_000);
    const { port, client } = await startReceiver({ budget });
    const held = rawStream(port);
    held.stream.write(prefixed(new Uint8Array(150_000), { length: 1_000_000 }));
    await expect.poll(() => budget.usedBytes).toBeGreaterThan(150_000);
    const refused = await client.call(TRACES_METHOD, new Uint8Array(60_000));
    expect([refused.code, retrySeconds(refused.statusDetails)]).toEqual([status.UNAVAILABLE, 1]);
    held.session.destroy();
    await expect.poll(() => budget.usedBytes).toBe(0);
    expect((await client.call(TRACES_METHOD, oneSpan)).code).toBe(status.OK);
    await expect.poll(() => budget.usedBytes).toBe(0);
  });
});

describe("shutdown of the gRPC receiver", () => {
  it("finishes running requests and takes no new ones", async () => {
    const { receiver, port, client, clientOf, tracesConsumer } = await startReceiver();
    const consuming = Promise.withResolvers<void>();
    const durable = Promise.withResolvers<void>();
    tracesConsumer.answer = async () => {
      consuming.resolve();
      await durable.promise;
      return { status: "accepted" };
    };
    const answer = client.call(TRACES_METHOD, oneSpan);
    await consuming.promise;
    const stopped = receiver.shutdown();
    const late = await clientOf().call(TRACES_METHOD, oneSpan, { deadlineMillis: 2_000 });
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(late.code);
    durable.resolve();
    expect((await answer).code).toBe(status.OK);
    await stopped;
    await expect(once(connectSocket(port, "127.0.0.1"), "connect")).rejects.toThrow("ECONNREFUSED");
  });

  it("ends requests that do not finish at its deadline, is safe twice and without start", async () => {
    const { receiver, client, tracesConsumer } = await startReceiver({ limits: { shutdownTimeoutMillis: 200 } });
    const consuming = Promise.withResolvers<void>();
    tracesConsumer.answer = () => {
      consuming.resolve();
      return new Promise(() => {});
    };
    const answer = client.call(TRACES_METHOD, oneSpan);
    await consuming.promise;
    await Promise.all([receiver.shutdown(), receiver.shutdown()]);
    expect((await answer).code).not.toBe(status.OK);
    const sinks = { traces: createRecordingConsumer<SpanRow>(), logs: createRecordingConsumer<LogRow>() };
    const idle = createOtlpGrpcReceiver(sinks);
    expect(() => idle.address()).toThrow("not listening");
    await idle.shutdown();
  });

  it("fails to start on a taken port", async () => {
    const { port } = await startReceiver();
    await expect(startReceiver({ port })).rejects.toThrow("EADDRINUSE");
  });
});
