import { ATTR_RUN_EVENT, ATTR_RUN_ID, RUN_EVENT_ROOT } from "../../instrumentation/semconv.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { CONTENT_EVENT_PREFIX, EVALUATION_EVENT_PREFIX, STEP_MARKS } from "../evidence/dialect/index.ts";
import { traceRunId } from "../evidence/trace-run-id.ts";
import type { GrowableBytes } from "./growable-bytes.ts";

/** A stored record that belongs to a run: what the run assembler must look at again. */
export interface TouchedRun {
  /** Of a step of another instrumentation: `traceRunId` of its trace. */
  readonly runId: string;
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Value of `runproof.event`, `''` when the span has none. The outermost step of another instrumentation is a root. */
  readonly event: string;
}

/** `undefined` for a span of no run. */
export function touchedRunFrom({ SpanAttributes, TraceId, ParentSpanId }: SpanRow): TouchedRun | undefined {
  const own = (name: string): string => (Object.hasOwn(SpanAttributes, name) ? (SpanAttributes[name] ?? "") : "");
  const runId = own(ATTR_RUN_ID);
  if (runId !== "") return { runId, traceId: TraceId, event: own(ATTR_RUN_EVENT) };
  const isStep = STEP_MARKS.some((name) => Object.hasOwn(SpanAttributes, name));
  return isStep ? touchedTrace(TraceId, ParentSpanId === "") : undefined;
}

export const touchedTrace = (traceId: string, isOutermost: boolean): TouchedRun => ({
  runId: traceRunId(traceId),
  traceId,
  event: isOutermost ? RUN_EVENT_ROOT : "",
});

/** `undefined` for a record that says nothing of a model call in a trace. */
export const touchedByLog = ({ TraceId, EventName }: LogRow): TouchedRun | undefined =>
  TraceId !== "" && EventName.startsWith(CONTENT_EVENT_PREFIX) && !EventName.startsWith(EVALUATION_EVENT_PREFIX)
    ? touchedTrace(TraceId, false)
    : undefined;

/** Reads Native `String`s back; the spans of a run follow each other, so most are the text read last. */
export class StoredTextReader {
  #last = new Uint8Array();
  #text = "";

  /** The text that begins at `at` in `data`. */
  read(data: GrowableBytes, at: number): string {
    const { bytes } = data;
    let start = at;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[start++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (!this.#isLast(bytes, start, size)) {
      this.#last = new Uint8Array(bytes.subarray(start, start + size));
      this.#text = bytes.toString("utf8", start, start + size);
    }
    return this.#text;
  }

  #isLast(bytes: Uint8Array, start: number, size: number): boolean {
    const last = this.#last;
    if (last.length !== size) return false;
    for (let index = 0; index < size; index++) if (last[index] !== bytes[start + index]) return false;
    return true;
  }
}
