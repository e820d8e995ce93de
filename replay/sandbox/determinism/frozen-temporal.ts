import type { FrozenTime } from "./frozen-clock.ts";

/** The part of `Temporal` this needs; Node has it from version 26 on. */
interface ZonedDateTime {
  toPlainDateTime(): unknown;
  toPlainDate(): unknown;
  toPlainTime(): unknown;
}

interface Temporal {
  readonly Instant: {
    fromEpochMilliseconds(millis: number): { toZonedDateTimeISO(timeZone: unknown): ZonedDateTime };
  };
  readonly Now: Record<string, unknown> & { timeZoneId(): string };
}

/** Replaces `Temporal.Now` of a realm that has one. The time zone stays the process's. */
export function freezeTemporal(realm: object, now: FrozenTime): void {
  const { Temporal: temporal } = realm as { readonly Temporal?: Temporal };
  if (temporal === undefined) return;
  const { Instant, Now } = temporal;
  const instant = () => Instant.fromEpochMilliseconds(now());
  const zoned = (timeZone: unknown = Now.timeZoneId()) => instant().toZonedDateTimeISO(timeZone);
  const frozen = {
    instant,
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (timeZone?: unknown) => zoned(timeZone).toPlainDateTime(),
    plainDateISO: (timeZone?: unknown) => zoned(timeZone).toPlainDate(),
    plainTimeISO: (timeZone?: unknown) => zoned(timeZone).toPlainTime(),
  };
  for (const [name, value] of Object.entries(frozen)) Object.defineProperty(Now, name, { ...METHOD, value });
}

const METHOD = { configurable: true, enumerable: false, writable: true } as const;
