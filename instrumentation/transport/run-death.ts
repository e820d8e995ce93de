import {
  ATTR_EXIT_CODE,
  ATTR_RUN_EVENT,
  ATTR_RUN_ID,
  recordSpanName,
  RUN_EVENT_PROCESS_DIED,
  RUN_EVENT_PROCESS_EXIT,
} from "../semconv.ts";
import { derivedSpanId, type RecordSpan, unixNanoFromMillis } from "./record-span.ts";
import type { OpenRun } from "./spool-file.ts";

/** The run's process ended in order while the run was open. */
export const processExitRecord = (run: OpenRun, exitCode: number, nowMillis: number): RecordSpan => {
  const record = endRecord(run, RUN_EVENT_PROCESS_EXIT, nowMillis);
  return { ...record, attributes: { ...record.attributes, [ATTR_EXIT_CODE]: exitCode } };
};

/** The run's process is gone without a word; `lastSeenMillis` is its last sign of life. */
export const processDiedRecord = (run: OpenRun, lastSeenMillis: number): RecordSpan =>
  endRecord(run, RUN_EVENT_PROCESS_DIED, lastSeenMillis);

const endRecord = (run: OpenRun, event: string, timeMillis: number): RecordSpan => ({
  traceId: run.traceId,
  spanId: derivedSpanId(run.runId, event),
  parentSpanId: run.rootSpanId,
  name: recordSpanName(event),
  timeUnixNano: unixNanoFromMillis(timeMillis),
  attributes: { ...run.attributes, [ATTR_RUN_ID]: run.runId, [ATTR_RUN_EVENT]: event },
});
