import type { HistoryRun, TimeWindow } from "./history.ts";

const SECOND = 1_000_000_000n;
/** Clocks of the processes of a run, and spans that outlive its close. */
const SLACK = 60n * SECOND;
/** How long a run without an end is looked after. */
const MAX_OPEN_SECONDS = 600;
/** The last time the store can hold. */
const MAX_UNIX_NANO = 9_223_372_036_854_775_807n;
/** A run of more would make everybody's window as long; its spans are found by its trace. */
const LONG = 6n * 3_600n * SECOND;

/** When the spans of a run began, by its record. Those that lie outside are missed, and that shows in their number. */
export function windowOf(run: HistoryRun): TimeWindow {
  const start = BigInt(run.startedAt);
  const open = start + BigInt(Math.ceil(Math.min(run.timeoutSeconds, MAX_OPEN_SECONDS))) * SECOND;
  const end = run.closedAt === null ? open : BigInt(run.closedAt);
  const to = (end > start ? end : start) + SLACK;
  return { from: start > SLACK ? start - SLACK : 0n, to: to > MAX_UNIX_NANO ? MAX_UNIX_NANO : to };
}

export const isLong = ({ from, to }: TimeWindow): boolean => to - from > LONG;

export const windowOfAll = (windows: readonly TimeWindow[]): TimeWindow =>
  windows.reduce((all, one) => ({
    from: one.from < all.from ? one.from : all.from,
    to: one.to > all.to ? one.to : all.to,
  }));

export const isWithin = ({ from, to }: TimeWindow, unixNano: string): boolean => {
  const time = BigInt(unixNano);
  return time >= from && time <= to;
};
