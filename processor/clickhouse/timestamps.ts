/**
 * Time values on their way into `DateTime64`. The engine reads a whole number below 10^18 as seconds, so nanosecond text
 * of a time before September 2001 (a broken clock, a test) would land centuries away; with a decimal point it is exact,
 * and with ten digits before the point it is never taken for a year.
 */
export function dateTimeFromNanos(nanos: string): string {
  const digits = nanos.padStart(19, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

export function dateTimeFromMillis(millis: number): string {
  return dateTimeFromNanos(`${Math.max(0, Math.round(millis))}000000`);
}
