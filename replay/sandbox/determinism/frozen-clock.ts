/** Gives the milliseconds since the epoch at which a clock stands. */
export type FrozenTime = () => number;

/** Replaces what a realm's `Date` and `Intl.DateTimeFormat` take for now. Dates made from a value stay what they are. */
export function freezeDate(realm: typeof globalThis, now: FrozenTime): void {
  const RealDate = realm.Date;
  const FrozenDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
  });
  RealDate.now = () => now();
  RealDate.prototype.constructor = FrozenDate;
  realm.Date = FrozenDate;
  freezeDateTimeFormat(realm, now);
}

function freezeDateTimeFormat(realm: typeof globalThis, now: FrozenTime): void {
  const formats = realm.Intl.DateTimeFormat.prototype;
  const boundFormat = Object.getOwnPropertyDescriptor(formats, "format")?.get;
  if (boundFormat === undefined) return;
  type Format = Intl.DateTimeFormat["format"];
  const known = new WeakMap<Format, Format>();
  Object.defineProperty(formats, "format", {
    configurable: true,
    get(this: Intl.DateTimeFormat): Format {
      const real = boundFormat.call(this) as Format;
      const frozen = known.get(real) ?? ((date = now()) => real(date));
      known.set(real, frozen);
      return frozen;
    },
  });
  const { formatToParts } = formats;
  formats.formatToParts = function (date = now()) {
    return formatToParts.call(this, date);
  };
}

/** As if the process had begun one second before: zero would look like "not set" to code that tests for it. */
const AGE_MILLIS = 1_000;

/** `performance.now()` and `timeOrigin` add up to the frozen time; marks and measures are made at it. */
export function freezePerformance(realm: typeof globalThis, now: FrozenTime): void {
  const clock = Object.getPrototypeOf(realm.performance) as Performance;
  const { mark, measure } = clock;
  const timeOrigin = (): number => now() - AGE_MILLIS;
  clock.now = () => AGE_MILLIS;
  Object.defineProperty(clock, "timeOrigin", { configurable: true, enumerable: true, get: timeOrigin });
  clock.mark = function (name, options) {
    return mark.call(this, name, { startTime: AGE_MILLIS, ...options });
  };
  clock.measure = function (name: string, start?: unknown, end?: unknown) {
    const options = typeof start === "object" && start !== null ? start : { start, end };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const closed = "end" in given || ("start" in given && "duration" in given) ? given : { ...given, end: AGE_MILLIS };
    return measure.call(this, name, closed);
  };
}

/** `process.hrtime()` counts from the epoch here; what it counts from is never promised. */
export function freezeProcessClock(now: FrozenTime): void {
  const nanos = (): bigint => BigInt(now()) * 1_000_000n;
  const hrtime = (before?: readonly [number, number]): [number, number] => {
    const since = nanos() - (before === undefined ? 0n : BigInt(before[0]) * BILLION + BigInt(before[1]));
    return [Number(since / BILLION), Number(since % BILLION)];
  };
  process.hrtime = Object.assign(hrtime, { bigint: nanos });
  process.uptime = () => AGE_MILLIS / 1_000;
}

const BILLION = 1_000_000_000n;
