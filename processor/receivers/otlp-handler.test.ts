import type { IncomingHttpHeaders } from "node:http";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { encodeLogsJson, encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, nestedValue, span, traces } from "../otlp/testing/model-builders.ts";
import { ProtobufReader } from "../otlp/protobuf-reader.ts";
import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import { createOtlpHandler, type OtlpHandler } from "./otlp-handler.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import type { HttpReply } from "./otlp-status.ts";
import { createRecordingConsumer, type RecordingConsumer } from "./testing/recording-consumer.ts";

const JSON_TYPE = { "content-type": "application/json" };
const PROTOBUF_TYPE = { "content-type": "application/x-protobuf" };
const LIMITS = { maxCompressedBytes: 10_000, maxBodyBytes: 20_000 };

let tracesConsumer: RecordingConsumer<SpanRow>;
let logsConsumer: RecordingConsumer<LogRow>;
let budget: ByteBudget;
let unexpected: unknown[];
let handler: OtlpHandler;

beforeEach(() => {
  tracesConsumer = createRecordingConsumer();
  logsConsumer = createRecordingConsumer();
  budget = createByteBudget(100_000);
  unexpected = [];
  handler = createOtlpHandler({
    traces: tracesConsumer,
    logs: logsConsumer,
    limits: LIMITS,
    budget,
    onUnexpectedError: (error) => unexpected.push(error),
  });
});

const post = (url: string, headers: IncomingHttpHeaders, body: Uint8Array | string): Promise<HttpReply> =>
  handler.handle({ method: "POST", url, headers, body: Buffer.from(body) });

const jsonOf = (reply: HttpReply): unknown => JSON.parse(Buffer.from(reply.body).toString());

/** The two fields of a message whose first is an integer and second text: Status and partial success. */
function protobufFields(bytes: Uint8Array): { code: number; message: string } {
  const reader = new ProtobufReader(bytes);
  const fields = { code: 0, message: "" };
  while (reader.nextField()) {
    if (reader.field === 1) fields.code = Number(reader.int64());
    else fields.message = reader.string();
  }
  return fields;
}

/** Expects a failure in the encoding of the request. */
function expectFailure(reply: HttpReply, status: number, code: number, message: string): void {
  expect(reply.status).toBe(status);
  const body = reply.headers["content-type"] === "application/json" ? jsonOf(reply) : protobufFields(reply.body);
  expect(body).toEqual({ code, message: expect.stringContaining(message) });
}

const oneSpan = traces([span()]);

describe("an OTLP request that is taken", () => {
  it.each([
    ["application/json", encodeTracesJson(oneSpan), "{}"],
    ["application/json; charset=utf-8", encodeTracesJson(oneSpan), "{}"],
    ["Application/JSON", encodeTracesJson(oneSpan), "{}"],
    ["application/x-protobuf", encodeTracesProtobuf(oneSpan), ""],
  ])("answers %s traces with an empty success in the same encoding", async (type, body, answer) => {
    const reply = await post("/v1/traces", { "content-type": type }, body);
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe(type.split(";")[0]!.toLowerCase());
    expect(Buffer.from(reply.body).toString()).toBe(answer);
    expect(tracesConsumer.rows.map((row) => row.SpanName)).toEqual(["invoke_agent"]);
  });

  it.each([
    ["JSON", JSON_TYPE, encodeLogsJson(logs([logRecord()]))],
    ["protobuf", PROTOBUF_TYPE, encodeLogsProtobuf(logs([logRecord()]))],
  ])("hands %s logs to the logs consumer", async (_name, headers, body) => {
    expect((await post("/v1/logs", headers, body)).status).toBe(200);
    expect(logsConsumer.rows).toHaveLength(1);
    expect(tracesConsumer.rows).toHaveLength(0);
  });

  it.each(["gzip", "GZIP", " gzip "])("inflates Content-Encoding %s", async (encoding) => {
    const body = gzipSync(encodeTracesProtobuf(oneSpan));
    const reply = await post("/v1/traces", { ...PROTOBUF_TYPE, "content-encoding": encoding }, body);
    expect(reply.status).toBe(200);
    expect(tracesConsumer.rows).toHaveLength(1);
  });

  it("takes identity as no compression and ignores a query", async () => {
    const headers = { ...JSON_TYPE, "content-encoding": "identity" };
    expect((await post("/v1/traces?x=1", headers, encodeTracesJson(oneSpan))).status).toBe(200);
  });

  it("answers an empty request with success and does not bother the consumer", async () => {
    tracesConsumer.answer = () => ({ status: "permanent", message: "not asked" });
    expect((await post("/v1/traces", PROTOBUF_TYPE, "")).status).toBe(200);
    expect((await post("/v1/traces", JSON_TYPE, "{}")).status).toBe(200);
  });
});

describe("partial success", () => {
  const mixed = traces([span(), span({ traceId: "ab" }), span({ spanId: "" })]);

  it("tells in JSON how many spans were rejected and why", async () => {
    const reply = await post("/v1/traces", JSON_TYPE, encodeTracesJson(mixed));
    expect(reply.status).toBe(200);
    expect(jsonOf(reply)).toEqual({
      partialSuccess: {
        rejectedSpans: "2",
        errorMessage:
          "1 rejected: trace_id must be 16 bytes, not all zero (32 hex digits in JSON); " +
          "1 rejected: span_id must be 8 bytes, not all zero (16 hex digits in JSON)",
      },
    });
    expect(tracesConsumer.rows).toHaveLength(1);
  });

  it("tells in protobuf how many spans were rejected and why", async () => {
    const reply = await post("/v1/traces", PROTOBUF_TYPE, encodeTracesProtobuf(mixed));
    const reader = new ProtobufReader(reply.body);
    expect(reader.nextField()).toBe(true);
    expect(reader.field).toBe(1);
    expect(protobufFields(reader.bytes())).toEqual({ code: 2, message: expect.stringContaining("trace_id must be") });
    expect(reader.nextField()).toBe(false);
  });

  it("names the field of logs", async () => {
    const body = encodeLogsJson(logs([logRecord({ traceId: "ab" })]));
    expect(jsonOf(await post("/v1/logs", JSON_TYPE, body))).toEqual({
      partialSuccess: { rejectedLogRecords: "1", errorMessage: expect.stringContaining("trace_id") },
    });
  });

  it("adds what the consumer rejects", async () => {
    tracesConsumer.answer = () => ({ status: "partial", rejected: 300, message: "quota" });
    const reply = await post("/v1/traces", JSON_TYPE, encodeTracesJson(mixed));
    expect(jsonOf(reply)).toEqual({
      partialSuccess: { rejectedSpans: "302", errorMessage: expect.stringContaining("quota") },
    });
  });
});

describe("the consumer's outcome", () => {
  it("answers retryable with 503 and the time to wait, rounded up", async () => {
    tracesConsumer.answer = () => ({ status: "retryable", message: "the spool is full", retryAfterSeconds: 2.1 });
    const reply = await post("/v1/traces", JSON_TYPE, encodeTracesJson(oneSpan));
    expectFailure(reply, 503, 14, "the spool is full");
    expect(reply.headers["retry-after"]).toBe("3");
  });

  it("answers retryable without a time with Retry-After 1", async () => {
    tracesConsumer.answer = () => ({ status: "retryable", message: "busy" });
    const reply = await post("/v1/traces", PROTOBUF_TYPE, encodeTracesProtobuf(oneSpan));
    expectFailure(reply, 503, 14, "busy");
    expect(reply.headers["retry-after"]).toBe("1");
  });

  it("answers permanent with 400, which senders do not retry", async () => {
    tracesConsumer.answer = () => ({ status: "permanent", message: "never" });
    expectFailure(await post("/v1/traces", JSON_TYPE, encodeTracesJson(oneSpan)), 400, 3, "never");
  });

  it("answers a consumer that breaks its promise with 503 and reports the defect, not its text", async () => {
    const defect = new Error("secret detail");
    tracesConsumer.answer = () => Promise.reject(defect);
    const reply = await post("/v1/traces", JSON_TYPE, encodeTracesJson(oneSpan));
    expectFailure(reply, 503, 14, "send again later");
    expect(Buffer.from(reply.body).toString()).not.toContain("secret");
    expect(unexpected).toEqual([defect]);
  });
});

describe("a request that is refused", () => {
  it.each(["/v1/metrics", "/", "/v1/traces/", "/v1development/profiles"])("answers 404 for %s", async (url) => {
    expectFailure(await post(url, JSON_TYPE, "{}"), 404, 12, "POST /v1/traces and POST /v1/logs");
    expectFailure(await post(url, PROTOBUF_TYPE, ""), 404, 12, "POST /v1/traces and POST /v1/logs");
  });

  it.each(["GET", "PUT", "OPTIONS", "DELETE"])("answers %s with 405 and Allow", async (method) => {
    const reply = await handler.handle({ method, url: "/v1/traces", headers: JSON_TYPE, body: new Uint8Array() });
    expectFailure(reply, 405, 12, `Use POST for /v1/traces, not ${method}.`);
    expect(reply.headers["allow"]).toBe("POST");
  });

  it.each([{}, { "content-type": "text/plain" }, { "content-type": "application/grpc" }, { "content-type": "" }])(
    "answers the content type %j with 415 in JSON",
    async (headers) => {
      const reply = await post("/v1/traces", headers, "{}");
      expectFailure(reply, 415, 3, "application/x-protobuf or application/json");
      expect(reply.headers["content-type"]).toBe("application/json");
    },
  );

  it.each(["deflate", "zstd", "br", "gzip, gzip", "gzip, identity", ""])(
    "answers the content encoding '%s' with 415",
    async (encoding) => {
      const reply = await post("/v1/traces", { ...PROTOBUF_TYPE, "content-encoding": encoding }, "x");
      expectFailure(reply, 415, 12, "plain or compressed once with gzip");
    },
  );

  it("answers a body that is not gzip, or cut short, with 400", async () => {
    const headers = { ...PROTOBUF_TYPE, "content-encoding": "gzip" };
    expectFailure(await post("/v1/traces", headers, "plain"), 400, 3, "not valid gzip");
    const whole = gzipSync(encodeTracesProtobuf(oneSpan));
    expectFailure(await post("/v1/traces", headers, whole.subarray(0, -9)), 400, 3, "not valid gzip");
    const damaged = Buffer.from(whole);
    damaged[damaged.length - 6]! ^= 0xff;
    expectFailure(await post("/v1/traces", headers, damaged), 400, 3, "not valid gzip");
  });

  it("does not inflate twice", async () => {
    const headers = { ...PROTOBUF_TYPE, "content-encoding": "gzip" };
    const twice = gzipSync(gzipSync(encodeTracesProtobuf(oneSpan)));
    expect((await post("/v1/traces", headers, twice)).status).toBe(400);
  });

  it("answers undecodable protobuf with 400 and the offset", async () => {
    expectFailure(await post("/v1/traces", PROTOBUF_TYPE, Uint8Array.of(0x0a, 0x7f)), 400, 3, "(at byte 1)");
  });

  it("answers undecodable JSON with 400 and the field", async () => {
    expectFailure(await post("/v1/traces", JSON_TYPE, "{"), 400, 3, "not JSON");
    expectFailure(await post("/v1/traces", JSON_TYPE, '{"resourceSpans":3}'), 400, 3, "resourceSpans must be an array");
  });

  it("answers logs sent to the traces path with 400", async () => {
    const body = encodeLogsProtobuf(logs([logRecord()]));
    expectFailure(await post("/v1/traces", PROTOBUF_TYPE, body), 400, 3, "Check that the body is what");
  });

  it("answers deep nesting with 400 in both encodings", async () => {
    const deep = traces([span({ attributes: [attribute("k", nestedValue(33, "arrayValue"))] })]);
    const advice = "Send deeply nested values as JSON text";
    expectFailure(await post("/v1/traces", JSON_TYPE, encodeTracesJson(deep)), 400, 3, advice);
    expectFailure(await post("/v1/traces", PROTOBUF_TYPE, encodeTracesProtobuf(deep)), 400, 3, advice);
    expectFailure(await post("/v1/traces", JSON_TYPE, "[".repeat(15_000)), 400, 3, advice);
  });

  it("answers a plain body over the limit with 413", async () => {
    expectFailure(await post("/v1/traces", JSON_TYPE, " ".repeat(20_001)), 413, 8, "20000 bytes as sent");
  });

  it("answers a compressed body over the limit with 413 before inflating", async () => {
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    expectFailure(await post("/v1/traces", headers, new Uint8Array(10_001)), 413, 8, "10000 bytes as sent");
  });

  it("answers a body over the limit after inflating with 413, also when its trailer lies", async () => {
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    const bomb = gzipSync(Buffer.alloc(200_000, " "));
    expectFailure(await post("/v1/traces", headers, bomb), 413, 8, "20000 bytes after decompression");
    bomb.writeUInt32LE(5, bomb.length - 4);
    expectFailure(await post("/v1/traces", headers, bomb), 413, 8, "20000 bytes after decompression");
  });

  it("accepts bodies of exactly the limit", async () => {
    const body = Buffer.alloc(20_000, " ").fill("{}", 0, 2);
    expect((await post("/v1/traces", JSON_TYPE, body)).status).toBe(200);
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    expect((await post("/v1/traces", headers, gzipSync(body))).status).toBe(200);
  });

  it("never hands anything of a refused request to the consumer", async () => {
    await post("/v1/traces", JSON_TYPE, '{"resourceSpans":[{"scopeSpans":[{"spans":[{},5]}]}]}');
    expect(tracesConsumer.rows).toHaveLength(0);
  });
});

describe("a project over its rate", () => {
  it("is answered with 429 and whole seconds to wait", async () => {
    const rateLimiter = createRateLimiter({ general: { requestsPerSecond: 0.15 }, now: () => 0 });
    const sinks = { traces: tracesConsumer, logs: logsConsumer };
    const onUnexpectedError = (error: unknown): unknown => unexpected.push(error);
    handler = createOtlpHandler({ ...sinks, limits: LIMITS, budget, rateLimiter, onUnexpectedError });
    expect((await post("/v1/traces", JSON_TYPE, encodeTracesJson(oneSpan))).status).toBe(200);
    const reply = await post("/v1/traces", PROTOBUF_TYPE, encodeTracesProtobuf(oneSpan));
    expectFailure(reply, 429, 8, "more than its limit");
    expect(reply.headers["retry-after"]).toBe("7");
  });
});

describe("the byte budget", () => {
  it("answers 503 with Retry-After while other requests hold it, and takes requests again after", async () => {
    const other = budget.open();
    other.take(99_990);
    const reply = await post("/v1/traces", JSON_TYPE, encodeTracesJson(oneSpan));
    expectFailure(reply, 503, 14, "send again in a second");
    expect(reply.headers["retry-after"]).toBe("1");
    other.close();
    expect((await post("/v1/traces", JSON_TYPE, encodeTracesJson(oneSpan))).status).toBe(200);
  });

  it("counts inflated bytes and gives everything back, also after a refusal", async () => {
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    const body = gzipSync(encodeTracesJson(traces([span({ name: "n".repeat(15_000) })])));
    let used = 0;
    tracesConsumer.answer = () => {
      used = budget.usedBytes;
      return { status: "accepted" };
    };
    expect((await post("/v1/traces", headers, body)).status).toBe(200);
    expect(used).toBeGreaterThan(15_000 + body.length);
    await post("/v1/traces", headers, gzipSync(Buffer.alloc(30_000)));
    await post("/v1/traces", headers, "broken");
    expect(budget.usedBytes).toBe(0);
  });

  it("answers 503 when inflating does not fit", async () => {
    const other = budget.open();
    other.take(95_000);
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    const reply = await post("/v1/traces", headers, gzipSync(Buffer.alloc(15_000, " ")));
    expectFailure(reply, 503, 14, "send again in a second");
  });
});
