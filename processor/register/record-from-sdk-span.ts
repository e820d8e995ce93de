import * as semconv from "../../instrumentation/semconv.ts";
import type { ChannelRecord } from "../../instrumentation/transport/record-channel.ts";
import type { RecordAttribute, RecordAttributes } from "../../instrumentation/transport/record-span.ts";
import type { HrTime, SdkSpan } from "../sdk-span.ts";

const STATUS_ERROR = 2;

/** PURE: a span as the crash spool keeps it. Ours come out whole; of others' the events, links and lists are cut. */
export function recordFromSdkSpan(span: SdkSpan): ChannelRecord {
  const { traceId, spanId } = span.spanContext();
  const start = nanosOf(span.startTime);
  const parentSpanId = span.parentSpanContext?.spanId;
  const runId = span.attributes[semconv.ATTR_RUN_ID];
  return {
    runId: typeof runId === "string" ? runId : "",
    event: "span",
    span: {
      traceId,
      spanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      name: span.name,
      timeUnixNano: String(start),
      endUnixNano: String(start + nanosOf(span.duration)),
      attributes: plainAttributes(span.attributes),
      ...(span.status.code === STATUS_ERROR ? { errorClass: span.status.message ?? "_OTHER" } : {}),
    },
  };
}

const nanosOf = ([seconds, nanoseconds]: HrTime): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);

const plainAttributes = (attributes: SdkSpan["attributes"]): RecordAttributes =>
  Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, RecordAttribute] =>
      ["string", "number", "boolean"].includes(typeof entry[1]),
    ),
  );
