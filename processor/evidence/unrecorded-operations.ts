import { z } from "zod";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { attribute, jsonAttribute } from "./span-attributes.ts";

const listSchema = z.array(z.string()).min(1).max(10_000);

/** What the worker of a strict replay reported. A report that cannot be read still says that there was one. */
export function unrecordedOperationsFrom(own: readonly SpanRow[]): Pick<RunEvidence, "unrecordedOperations"> {
  const reports = own.filter((span) => attribute(span, semconv.ATTR_RUN_EVENT) === semconv.RUN_EVENT_REPLAY);
  if (reports.length === 0) return {};
  const lists = reports.map(
    (span) => listSchema.safeParse(jsonAttribute(span, semconv.ATTR_UNRECORDED_OPERATIONS)).data ?? [UNREADABLE],
  );
  return { unrecordedOperations: [...new Set(lists.flat())] };
}

const UNREADABLE = "a report that cannot be read";
