import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import { derivedSpanId, encodeRecords, unixNanoFromMillis } from "../../instrumentation/transport/record-span.ts";
import type { RunFacts } from "../../processor/evidence/run-facts.ts";
import type { OtlpBody } from "../sandbox/otlp-tap.ts";

/** The service judges from spans: without this one it would call a run done that tried what was never recorded. */
export function ledgerRecord(
  { runId, traceId, rootSpanId, serviceName, project, closeUnixNano }: RunFacts,
  operations: readonly string[],
): OtlpBody {
  const text = canonicalJson(operations.slice(0, MAX_OPERATIONS).map((operation) => operation.slice(0, MAX_LENGTH)));
  const span = {
    traceId,
    spanId: derivedSpanId(runId, semconv.RUN_EVENT_REPLAY, text),
    parentSpanId: rootSpanId,
    name: semconv.recordSpanName(semconv.RUN_EVENT_REPLAY),
    timeUnixNano: closeUnixNano ?? unixNanoFromMillis(Date.now()),
    attributes: {
      [semconv.ATTR_RUN_ID]: runId,
      [semconv.ATTR_RUN_EVENT]: semconv.RUN_EVENT_REPLAY,
      [semconv.ATTR_UNRECORDED_OPERATIONS]: text,
    },
  };
  const resource = {
    attributes: {
      [semconv.ATTR_SERVICE_NAME]: serviceName,
      ...(project === "" ? {} : { [semconv.ATTR_PROJECT]: project }),
    },
  };
  const body = Buffer.from(encodeRecords(resource, [span]));
  return { path: "/v1/traces", contentType: "application/json", contentEncoding: "", body };
}

const MAX_OPERATIONS = 1_000;
const MAX_LENGTH = 1_000;
