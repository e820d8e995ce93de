import { failOpenAsync } from "../fail-open.ts";
import * as semconv from "../semconv.ts";
import type { RecordAttributes } from "../transport/record-span.ts";
import type { ActiveRun } from "./active-run.ts";
import { newSpanId } from "./run-id.ts";

/** Sends a zero-duration record span of a run on the flush-now path; resolves when acknowledged or spooled. */
export async function sendRecord(run: ActiveRun, event: string, attributes: RecordAttributes): Promise<void> {
  const now = event === semconv.RUN_EVENT_START ? run.startUnixNano : run.runtime.nowUnixNano();
  const span = {
    traceId: run.traceId,
    spanId: newSpanId(),
    parentSpanId: run.rootSpanId,
    name: semconv.recordSpanName(event),
    timeUnixNano: String(now),
    attributes: { ...run.recordAttributes, ...attributes, [semconv.ATTR_RUN_EVENT]: event },
  };
  await track(run, run.runtime.channel.send({ runId: run.runId, event, span }));
}

/** A span that no SDK will send. */
export interface DirectSpan {
  readonly name: string;
  readonly spanId: string;
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  readonly attributes: RecordAttributes;
  readonly error: string | null;
  /** `''` for none. */
  readonly parentSpanId: string;
}

/** Sends a span on the flush-now path. Nobody waits for it but `closeRun()`. */
export function sendSpan(run: ActiveRun, direct: DirectSpan): void {
  const span = {
    traceId: run.traceId,
    spanId: direct.spanId,
    parentSpanId: direct.parentSpanId,
    name: direct.name,
    timeUnixNano: String(direct.startUnixNano),
    endUnixNano: String(direct.endUnixNano),
    attributes: direct.attributes,
    ...(direct.error === null ? {} : { errorClass: direct.error }),
  };
  void track(run, run.runtime.channel.send({ runId: run.runId, event: "span", span }));
}

/** Never rejects: nobody may be waiting, and an unhandled rejection ends the agent's process. */
async function track(run: ActiveRun, sending: Promise<unknown>): Promise<void> {
  run.pending.add(sending);
  await failOpenAsync("sending a record", () => sending, undefined);
  run.pending.delete(sending);
}
