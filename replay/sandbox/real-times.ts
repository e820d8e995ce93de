type HrTime = [seconds: number, nanoseconds: number];

/** The times of an SDK's span. */
interface SpanTimes {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
}

/** Knows when spans really began and ended: the SDK asks the agent's clock, which stands still in a replay. */
export interface RealTimes<Span extends object> {
  started(span: object): void;
  /** The span with its real times. A start that somebody gave it stays. */
  ofEnded(span: Span): Span;
}

/** `now` gives milliseconds since the epoch. */
export function realTimes<Span extends SpanTimes>(now: () => number): RealTimes<Span> {
  const starts = new WeakMap<object, number>();
  return {
    started: (span) => void starts.set(span, now()),
    ofEnded(span) {
      const started = starts.get(span);
      if (started === undefined) return span;
      const startMillis = isFrozen(span.startTime) ? started : millisOf(span.startTime);
      const endMillis = Math.max(now(), startMillis);
      const times: SpanTimes = {
        startTime: isFrozen(span.startTime) ? hrTimeOf(started) : span.startTime,
        endTime: hrTimeOf(endMillis),
        duration: hrTimeOf(endMillis - startMillis),
      };
      // A view of the span: its methods and whatever else it has stay the SDK's.
      return Object.create(span, Object.getOwnPropertyDescriptors(times)) as Span;
    },
  };
}

const isFrozen = (time: HrTime): boolean => millisOf(time) === Date.now();

const millisOf = ([seconds, nanoseconds]: HrTime): number => seconds * 1_000 + nanoseconds / 1e6;

const hrTimeOf = (millis: number): HrTime => [Math.floor(millis / 1_000), Math.round((millis % 1_000) * 1e6)];
