import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Component } from "../component.ts";

/** How late timers of this process come, over the last ten seconds. */
export interface EventLoopDelay extends Component {
  /** Milliseconds; 0 before the first ten seconds are over. */
  p99(): number;
  p50(): number;
}

type DelayHistogram = ReturnType<typeof monitorEventLoopDelay>;

const WINDOW_MILLIS = 10_000;
const RESOLUTION_MILLIS = 20;

/** Windows of its own: readers of the metrics come when they like, and would else reset each other's figures. */
export function createEventLoopDelay(): EventLoopDelay {
  let histogram: DelayHistogram | undefined;
  let timer: NodeJS.Timeout | undefined;
  let last = { p50: 0, p99: 0 };

  function turnOver(current: DelayHistogram): void {
    last = { p50: lateness(current.percentile(50)), p99: lateness(current.percentile(99)) };
    current.reset();
  }

  return {
    async start() {
      const started = (histogram ??= monitorEventLoopDelay({ resolution: RESOLUTION_MILLIS }));
      started.enable();
      timer ??= setInterval(() => turnOver(started), WINDOW_MILLIS).unref();
    },
    async shutdown() {
      clearInterval(timer);
      histogram?.disable();
    },
    p50: () => last.p50,
    p99: () => last.p99,
  };
}

/** The histogram holds nanoseconds between its ticks, the planned pause included. */
const lateness = (nanoseconds: number): number =>
  Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - RESOLUTION_MILLIS) : 0;
