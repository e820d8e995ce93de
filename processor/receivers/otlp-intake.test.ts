import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { encodeRecords } from "../../instrumentation/transport/record-span.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { ACCEPTED, type ConsumeOutcome } from "../outcome.ts";
import { encodeTracesJson } from "../otlp/testing/encode-json.ts";
import { encodeLogsProtobuf, encodeTracesProtobuf } from "../otlp/testing/encode-protobuf.ts";
import { attribute, logRecord, logs, span, traces } from "../otlp/testing/model-builders.ts";
import type { BodySummary, OtlpBody } from "./body-consumer.ts";
import { createByteBudget } from "./byte-budget.ts";
import { createOtlpIntake, type OtlpSinks, type WireBody } from "./otlp-intake.ts";
import { createRateLimiter, type RateLimiter } from "./rate-limiter.ts";
import { MAX_PRIORITY_BYTES } from "./record-lane.ts";
import { DEFAULT_RECEIVER_LIMITS } from "./receiver-limits.ts";
import { createRecordingConsumer } from "./testing/recording-consumer.ts";

const SHOP = { project: "shop", proven: true };
const unexpected: unknown[] = [];

function intakeOf(sinks: OtlpSinks, rateLimiter?: RateLimiter) {
  const budget = createByteBudget(DEFAULT_RECEIVER_LIMITS.maxBytesInMemory);
  const onUnexpectedError = (error: unknown): unknown => unexpected.push(error);
  const intake = createOtlpIntake({ sinks, limits: DEFAULT_RECEIVER_LIMITS, rateLimiter, onUnexpectedError });
  return (bytes: Uint8Array, rest: Partial<WireBody> = {}) =>
    intake.take(
      { signal: "traces", encoding: "protobuf", compressed: false, identity: SHOP, bytes, ...rest },
      budget.open(),
    );
}

const rowSinks = () => ({ traces: createRecordingConsumer<SpanRow>(), logs: createRecordingConsumer<LogRow>() });

const recordSpan = (event: string, name = `runproof.run ${event}`) =>
  span({ name, endTimeUnixNano: 0n, attributes: [attribute("runproof.event", event)] });

describe("whole bodies in place of rows", () => {
  let consumed: { body: OtlpBody; summary: BodySummary }[];
  let answer: ConsumeOutcome;
  let take: ReturnType<typeof intakeOf>;

  beforeEach(() => {
    consumed = [];
    answer = ACCEPTED;
    take = intakeOf({ bodies: { consume: async (body, summary) => (consumed.push({ body, summary }), answer) } });
  });

  it("are handed on inflated, as they came otherwise, with the project of the credential", async () => {
    const bytes = encodeTracesProtobuf(traces([span()], [attribute("runproof.project", "bank")]));
    const before = Date.now();
    expect(await take(gzipSync(bytes), { compressed: true })).toEqual({ rejected: 0, message: "" });
    const { body, summary } = consumed[0]!;
    expect(Buffer.from(body.bytes).equals(bytes)).toBe(true);
    expect(body).toMatchObject({ signal: "traces", encoding: "protobuf", project: "shop" });
    expect(body.receivedAtMillis).toBeGreaterThanOrEqual(before);
    expect(summary).toEqual({ records: 1, rejected: 0, lane: "bulk" });
  });

  it("name no project when no credential does", async () => {
    await take(encodeTracesProtobuf(traces([span()])), { identity: { project: "default", proven: false } });
    expect(consumed[0]?.body.project).toBe("");
  });

  it("are told apart by lane, in both encodings", async () => {
    const start = traces([recordSpan("start"), recordSpan("close")]);
    await take(encodeTracesProtobuf(start));
    await take(encodeTracesJson(start), { encoding: "json" });
    await take(encodeTracesProtobuf(traces([recordSpan("start"), span()])));
    await take(encodeTracesProtobuf(traces([recordSpan("run", "invoke_agent")])));
    await take(encodeLogsProtobuf(logs([logRecord({ attributes: [attribute("runproof.event", "start")] })])), {
      signal: "logs",
    });
    expect(consumed.map(({ summary }) => summary.lane)).toEqual(["priority", "priority", "bulk", "bulk", "bulk"]);
  });

  it("never come with a record that is refused uncounted, and not at all when nothing is left", async () => {
    const mixed = encodeTracesProtobuf(traces([span(), span({ traceId: "ab" })]));
    expect(await take(mixed)).toMatchObject({ rejected: 1, message: expect.stringContaining("trace_id") });
    expect(consumed[0]?.summary).toMatchObject({ records: 1, rejected: 1 });
    expect(await take(encodeTracesProtobuf(traces([span({ traceId: "ab" })])))).toMatchObject({ rejected: 1 });
    expect(await take(Uint8Array.of(0x0a, 0x7f))).toMatchObject({ refused: "not_decodable" });
    expect(consumed).toHaveLength(1);
  });

  it("pass the outcome on", async () => {
    answer = { status: "retryable", message: "full", retryAfterSeconds: 2 };
    expect(await take(encodeTracesProtobuf(traces([span()])))).toEqual({
      refused: "retryable",
      message: "full",
      retryAfterSeconds: 2,
    });
  });
});

describe("a project over its rate", () => {
  const tired = () => {
    const rateLimiter = createRateLimiter({ general: { requestsPerSecond: 1e-6 } });
    rateLimiter.charge("shop", 1);
    return rateLimiter;
  };
  const limited = { refused: "rate_limited", retryAfterSeconds: expect.any(Number) };

  it("is told when to come back", async () => {
    const sinks = rowSinks();
    const take = intakeOf(sinks, tired());
    expect(await take(encodeTracesProtobuf(traces([span()])))).toMatchObject(limited);
    expect(sinks.traces.rows).toHaveLength(0);
    expect(await take(encodeTracesProtobuf(traces([span()])), { identity: { ...SHOP, project: "bank" } })).toEqual({
      rejected: 0,
      message: "",
    });
  });

  it.each(["start", "checkpoint", "close", "process_exit", "process_died"])(
    "still gets its %s records through, in every form",
    async (event) => {
      const sinks = rowSinks();
      const take = intakeOf(sinks, tired());
      const model = traces([recordSpan(event)]);
      const protobuf = encodeTracesProtobuf(model);
      const sent = encodeRecords({ attributes: { "service.name": "agent" } }, [
        {
          traceId: "5b8efff798038103d269b633813fc60c",
          spanId: "eee19b7ec3c1b174",
          name: `runproof.run ${event}`,
          timeUnixNano: "1",
          attributes: { "runproof.event": event },
        },
      ]);
      await take(protobuf);
      await take(gzipSync(protobuf), { compressed: true });
      await take(encodeTracesJson(model), { encoding: "json" });
      await take(Buffer.from(sent), { encoding: "json" });
      expect(sinks.traces.rows).toHaveLength(4);
    },
  );

  it("cannot hide spans behind a record, the root span, logs, or size", async () => {
    const sinks = rowSinks();
    const take = intakeOf(sinks, tired());
    expect(await take(encodeTracesProtobuf(traces([recordSpan("start"), span()])))).toMatchObject(limited);
    expect(await take(encodeTracesProtobuf(traces([recordSpan("run")])))).toMatchObject(limited);
    expect(await take(encodeTracesProtobuf(traces([])))).toMatchObject(limited);
    const log = logRecord({ attributes: [attribute("runproof.event", "start")] });
    expect(await take(encodeLogsProtobuf(logs([log])), { signal: "logs" })).toMatchObject(limited);
    const long = attribute("x", "x".repeat(MAX_PRIORITY_BYTES));
    const large = encodeTracesProtobuf(traces([{ ...recordSpan("start"), attributes: [long] }]));
    expect(await take(large)).toMatchObject(limited);
    expect(await take(gzipSync(large), { compressed: true })).toMatchObject(limited);
    expect([sinks.traces.rows, sinks.logs.rows]).toEqual([[], []]);
  });

  it("is not decoded to be refused", async () => {
    const take = intakeOf(rowSinks(), tired());
    expect(await take(Uint8Array.of(0x0a, 0x7f))).toMatchObject(limited);
    expect(await take(gzipSync(Buffer.alloc(50_000_000)), { compressed: true })).toMatchObject(limited);
  });

  it("pays for bytes after decompression, and records pay nothing", async () => {
    const rateLimiter = createRateLimiter({ general: { bytesPerSecond: 100 }, now: () => 0 });
    const take = intakeOf(rowSinks(), rateLimiter);
    await take(encodeTracesProtobuf(traces([recordSpan("start")])));
    expect(rateLimiter.waitSeconds("shop")).toBe(0);
    const body = encodeTracesProtobuf(traces([span({ name: "n".repeat(10_000) })]));
    await take(gzipSync(body), { compressed: true });
    expect(rateLimiter.waitSeconds("shop")).toBeCloseTo((body.length - 500) / 100);
  });
});
