import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { checkSpan } from "./check-span.ts";
import { type Rejected, Rejections } from "./rejections.ts";
import { slowSpan } from "./slow-span.ts";
import { createTracesWalk } from "./walk-traces.ts";
import { LeaveFastPath, WireCursor } from "./wire-cursor.ts";

export interface ScanResult {
  /** Spans that will become rows. */
  readonly rows: number;
  readonly rejected: readonly Rejected[];
}

/**
 * What `append` of a span block would say about a protobuf body, without making rows: to be asked before a request is
 * acknowledged. Keeps the last resources and scopes it saw.
 */
export function createTracesScan(): (body: Uint8Array) => ScanResult {
  const walk = createTracesWalk();
  return (body) => {
    try {
      return scan(body, walk);
    } catch (error) {
      if (!(error instanceof LeaveFastPath)) throw error;
      const batch = spanRowsFrom(decodeTracesProtobuf(body));
      return { rows: batch.rows.length, rejected: listOf(batch.rejections) };
    }
  };
}

/** @throws OtlpDecodeError for a body that is refused as a whole. */
export const scanTraces = (body: Uint8Array): ScanResult => createTracesScan()(body);

function scan(body: Uint8Array, walk: ReturnType<typeof createTracesWalk>): ScanResult {
  const rejections = new Rejections();
  let rows = 0;
  walk(new WireCursor(body), {
    resource: () => {},
    span(cursor, end) {
      const start = cursor.pos;
      if (checkSpan(cursor, end)) rows++;
      else rejections.add(slowSpan(body.subarray(start, end)).rejections);
    },
  });
  return { rows, rejected: rejections.list() };
}

function listOf(counts: ReadonlyMap<string, number>): Rejected[] {
  const rejections = new Rejections();
  rejections.add(counts);
  return rejections.list();
}
