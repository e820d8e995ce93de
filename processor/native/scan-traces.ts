import { ATTR_RUN_EVENT } from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { decodeTracesProtobuf } from "../otlp/protobuf-traces.ts";
import { spanRowsFrom } from "../otlp/span-rows.ts";
import { checkSpan } from "./check-span.ts";
import { type Rejected, rejectedFrom, Rejections } from "./rejections.ts";
import { RunEventFinder } from "./run-event-finder.ts";
import { slowSpan } from "./slow-record.ts";
import { createTracesWalk } from "./walk-traces.ts";
import { LeaveFastPath, WireCursor } from "./wire-cursor.ts";

export interface ScanResult {
  /** Records that will become rows. */
  readonly rows: number;
  readonly rejected: readonly Rejected[];
}

export interface TracesScanResult extends ScanResult {
  /** Whether there are rows, and `runproof.event` of every one is among those asked for. */
  readonly onlyEvents: boolean;
}

export type TracesScan = (body: Uint8Array) => TracesScanResult;

const NO_EVENTS: ReadonlySet<string> = new Set();

/**
 * What `append` of a span block would say about a protobuf body, without making rows: to be asked before a request is
 * acknowledged. Keeps the last resources and scopes it saw.
 */
export function createTracesScan(events = NO_EVENTS): TracesScan {
  const walk = createTracesWalk();
  const finder = events.size === 0 ? undefined : new RunEventFinder();
  return (body) => {
    try {
      return scan(body, walk, { events, finder });
    } catch (error) {
      if (!(error instanceof LeaveFastPath)) throw error;
      const { rows, rejections } = spanRowsFrom(decodeTracesProtobuf(body));
      const onlyEvents = rows.length > 0 && rows.every((row) => events.has(eventOf(row)));
      return { rows: rows.length, rejected: rejectedFrom(rejections), onlyEvents };
    }
  };
}

/** @throws OtlpDecodeError for a body that is refused as a whole. */
export const scanTraces: TracesScan = (body) => createTracesScan()(body);

interface EventSearch {
  readonly events: ReadonlySet<string>;
  readonly finder: RunEventFinder | undefined;
}

function scan(
  body: Uint8Array,
  walk: ReturnType<typeof createTracesWalk>,
  { events, finder }: EventSearch,
): TracesScanResult {
  const rejections = new Rejections();
  let rows = 0;
  // One row of another kind decides, and then nobody has to look any more.
  let search = finder;
  walk(new WireCursor(body), {
    resource: () => {},
    span(cursor, end) {
      const start = cursor.pos;
      if (checkSpan(cursor, end, search)) {
        rows++;
        if (search !== undefined && !events.has(search.event)) search = undefined;
      } else rejections.add(slowSpan(body.subarray(start, end)).rejections);
    },
  });
  return { rows, rejected: rejections.list(), onlyEvents: rows > 0 && search !== undefined };
}

const eventOf = ({ SpanAttributes }: SpanRow): string => SpanAttributes[ATTR_RUN_EVENT] ?? "";
