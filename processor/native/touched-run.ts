import { ATTR_RUN_EVENT, ATTR_RUN_ID } from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import type { GrowableBytes } from "./growable-bytes.ts";

/** A stored span that belongs to a run: what the run assembler must look at again. */
export interface TouchedRun {
  readonly runId: string;
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Value of `runproof.event`, `''` when the span has none. */
  readonly event: string;
}

/** `undefined` for a span of no run. */
export function touchedRunFrom({ SpanAttributes, TraceId }: SpanRow): TouchedRun | undefined {
  const own = (name: string): string => (Object.hasOwn(SpanAttributes, name) ? (SpanAttributes[name] ?? "") : "");
  const runId = own(ATTR_RUN_ID);
  return runId === "" ? undefined : { runId, traceId: TraceId, event: own(ATTR_RUN_EVENT) };
}

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
