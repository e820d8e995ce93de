import { describe, expect, it } from "vitest";
import { partialResponse, statusBody, statusWithRetryInfo } from "../receivers/otlp-response-body.ts";
import { outcomeFromGrpc } from "./grpc-outcome.ts";
import { outcomeFromHttp } from "./http-outcome.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");

const http = (status: number, more: { contentType?: string; retryAfter?: string; body?: Uint8Array } = {}) =>
  outcomeFromHttp(
    { status, contentType: "application/x-protobuf", retryAfter: undefined, body: new Uint8Array(), ...more },
    NOW,
  );

const grpc = (code: number, details?: Uint8Array) =>
  outcomeFromGrpc({ code, text: "why", message: undefined, details });

describe("an HTTP answer", () => {
  it("is retried for 429, 502, 503 and 504 and for nothing else", () => {
    const retried = Array.from({ length: 400 }, (_, at) => at + 200).filter(
      (code) => http(code).status === "retryable",
    );
    expect(retried).toEqual([429, 502, 503, 504]);
    expect([200, 202, 299].map((code) => http(code).status)).toEqual(["sent", "sent", "sent"]);
    expect([301, 307, 400, 401, 404, 500, 501].map((code) => http(code).status)).toEqual(Array(7).fill("refused"));
  });

  it("says when to come back, in seconds or as a date", () => {
    expect(http(503, { retryAfter: "17" })).toMatchObject({ waitMillis: 17_000 });
    expect(http(503, { retryAfter: "Sat, 21 Nov 2026 10:00:05 GMT" })).toMatchObject({ waitMillis: 5_000 });
    expect(http(503, { retryAfter: "Sat, 21 Nov 2020 10:00:05 GMT" })).toMatchObject({ waitMillis: 0 });
    expect(http(503, { retryAfter: "soon" })).not.toHaveProperty("waitMillis");
  });

  it("names the records that were not taken, in both encodings", () => {
    const partial = { rejected: 3, message: "bad ids" };
    const body = partialResponse("protobuf", "traces", partial);
    expect(http(200, { body })).toEqual({ status: "sent", ...partial });
    const contentType = "application/json";
    expect(http(200, { contentType, body: partialResponse("json", "logs", partial) })).toMatchObject(partial);
  });

  it("counts as taken when it is garbage with a good status", () => {
    const garbage = Buffer.from("\xff\xff<html>", "latin1");
    expect(http(200, { body: garbage })).toEqual({ status: "sent", rejected: 0, message: "" });
    expect(http(200, { contentType: "text/html", body: garbage })).toMatchObject({ status: "sent", rejected: 0 });
    const hostile = Buffer.from('{"partialSuccess":{"rejectedSpans":"-1e309","errorMessage":{}}}');
    expect(http(200, { contentType: "application/json", body: hostile })).toMatchObject({ rejected: 0 });
  });

  it("is quoted as one short line without control characters", () => {
    const body = statusBody("protobuf", 3, `bad\u001b]8;;x\u0007\r\n\u202eline ${"x".repeat(5_000)}`);
    const { message } = http(400, { body });
    expect(message).toMatch(/^HTTP 400 bad \]8;;x line x+$/);
    expect(message.length).toBeLessThan(320);
  });
});

describe("a gRPC answer", () => {
  it("is retried for the codes of the OTLP specification and for nothing else", () => {
    const retried = Array.from({ length: 20 }, (_, code) => code).filter((code) => grpc(code).status === "retryable");
    expect(retried).toEqual([1, 4, 10, 11, 14, 15]);
  });

  it("is retried for RESOURCE_EXHAUSTED only with RetryInfo, after the time it names", () => {
    expect(grpc(8)).toMatchObject({ status: "refused", reason: "grpc_resource_exhausted", divisible: true });
    expect(grpc(8, statusWithRetryInfo(8, "slow down", 2.5))).toMatchObject({ status: "retryable", waitMillis: 2_500 });
    expect(grpc(8, Buffer.from("garbage"))).toMatchObject({ status: "refused" });
    expect(grpc(14, statusWithRetryInfo(14, "", 1))).toMatchObject({ status: "retryable", waitMillis: 1_000 });
  });
});
