import { SPAN_COLUMNS, type SpanRow } from "../../clickhouse/rows.ts";
import type { Store } from "../../clickhouse/store.ts";

const nanos = (time: string): string => `toString(toUnixTimestamp64Nano(${time}))`;

const EXPRESSIONS: Readonly<Record<string, string>> = {
  Timestamp: nanos("Timestamp"),
  Duration: "toString(Duration)",
  "Events.Timestamp": `arrayMap(t -> ${nanos("t")}, \`Events.Timestamp\`)`,
};

const columns = SPAN_COLUMNS.map((name) => `${EXPRESSIONS[name] ?? `t.\`${name}\``} AS \`${name}\``).join(", ");

/** Stored spans in the form they were sent: every column, times and durations as exact decimal text. */
export const storedSpans = (
  store: Store,
  condition: string,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<SpanRow[]> => store.query<SpanRow>(`SELECT ${columns} FROM otel_traces AS t WHERE ${condition}`, parameters);
